//! What a step is to do, whatever kind of connector planned it.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A journalled `Op` that this release cannot read.
#[derive(Debug, thiserror::Error)]
#[error("a step of an earlier release cannot be read")]
pub struct OpError(#[source] serde_json::Error);

/// An `Op` of any kind: as its connector planned it, or as its JSON text in a journal.
///
/// Both are carried out the same. Only what is journalled takes the way through its text, and the conformance suite always takes it.
#[derive(Clone)]
pub struct AnyOp(Form);

#[derive(Clone)]
enum Form {
    Planned(Arc<dyn Planned>),
    Text(Box<str>),
}

trait Planned: Any + Send + Sync {
    fn json(&self) -> String;
}

impl<Op: Any + Serialize + Send + Sync> Planned for Op {
    fn json(&self) -> String {
        // An Op is plain data of strings, numbers and lists: writing it as JSON cannot fail. An empty text would fail to load and park.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl AnyOp {
    pub(super) fn planned<Op: Any + Serialize + Send + Sync>(op: Op) -> Self {
        Self(Form::Planned(Arc::new(op)))
    }

    /// Of a JSON text.
    pub fn from_json(json: impl Into<Box<str>>) -> Self {
        Self(Form::Text(json.into()))
    }

    /// Its JSON text.
    pub fn json(&self) -> Cow<'_, str> {
        match &self.0 {
            Form::Planned(op) => Cow::Owned(op.json()),
            Form::Text(json) => Cow::Borrowed(json),
        }
    }

    /// As the connector's own; what has to be read for it is kept in `read`.
    pub(super) fn read<'a, Op: Any + DeserializeOwned>(&'a self, read: &'a mut Option<Op>) -> Result<&'a Op, OpError> {
        if let Form::Planned(op) = &self.0
            && let Some(op) = (op.as_ref() as &dyn Any).downcast_ref()
        {
            return Ok(op);
        }
        Ok(read.insert(serde_json::from_str(&self.json()).map_err(OpError)?))
    }
}

impl fmt::Debug for AnyOp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.json())
    }
}

impl PartialEq for AnyOp {
    fn eq(&self, other: &Self) -> bool {
        self.json() == other.json()
    }
}

impl Serialize for AnyOp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.json())
    }
}

impl<'de> Deserialize<'de> for AnyOp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Box::<str>::deserialize(deserializer).map(Self::from_json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Op {
        title: String,
        /// What a journal does not keep tells the two ways apart.
        #[serde(skip)]
        passing: u8,
    }

    #[test]
    fn what_was_planned_is_carried_out_as_it_is_and_what_was_journalled_as_its_text_says() {
        let planned = AnyOp::planned(Op { title: "a".to_owned(), passing: 7 });
        let journalled: AnyOp = serde_json::from_str(&serde_json::to_string(&planned).unwrap()).unwrap();
        let passing = |op: &AnyOp| op.read::<Op>(&mut None).map(|op| (op.title.clone(), op.passing));
        assert_eq!(passing(&planned).unwrap(), ("a".to_owned(), 7));
        assert_eq!(passing(&journalled).unwrap(), ("a".to_owned(), 0));
        assert_eq!((planned == journalled, &*journalled.json()), (true, r#"{"title":"a"}"#));
        assert!(passing(&AnyOp::from_json(r#"{"name":"a"}"#)).is_err());
    }
}
