//! Entries with images, brought to a real service: images come from a public host alone, which no test asks, so they are put in here.

use async_trait::async_trait;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use url::Url;

use super::{engine, entry, key_of, product};
use crate::contract::{AnyConnector, Change, Cx, Links, Plan, Request, Response, Time, Transport, TransportError};
use crate::kit::http::{Client, ClientOptions, Proxy};

/// Two images, of four pixels each.
const RED: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x02\x08\x02\0\0\0\xfd\xd4\x9as\0\0\0\x10IDATx\xdac8\xc1\xc0\0D\x0c\x10\n\0\x19\x0e\x03!\x94d\xcdz\0\0\0\0IEND\xaeB`\x82";
const BLUE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x02\0\0\0\x02\x08\x02\0\0\0\xfd\xd4\x9as\0\0\0\x0fIDATx\xdac``8\x01F`\n\0\x12\xce\x03!\xe5.\x84b\0\0\0\0IEND\xaeB`\x82";

/// Brings three entries: two show the red image, under addresses of their own, one of them the blue one too, and each one that is no image.
///
/// # Errors
/// What was refused, in words.
pub async fn bring(connector: &dyn AnyConnector, now: Time) -> Result<(), String> {
    let client = Client::new(&ClientOptions { proxy: Proxy::None, ..ClientOptions::default() }).map_err(|error| error.to_string())?;
    let transport = WithImages(client);
    for (id, images) in [(901, "red-1 broken"), (902, "red-2 blue"), (903, "blue broken")] {
        let shown: String =
            images.split(' ').map(|name| format!("<p><img src=\"https://storage.sleekplan.com/{name}.png\" alt=\"{name}\"></p>")).collect();
        let news = entry(json!({"changelog_id": id, "title": format!("Images {id}"), "description_html": shown}));
        let key = key_of(&connector.scope(), &news.item.id);
        let (product, mut links) = (product(), Links::default());
        let change = Change { item: &news.item, parent: None, event: None, product: &product, key: &key, at: news.at, is_history: false };
        let Plan::Run(steps) = connector.plan(&change, &links).map_err(|error| error.to_string())? else {
            return Err("no plan".to_owned());
        };
        for step in steps {
            let cx = Cx { transport: &transport, links: &links, now };
            let outcome = connector.apply(&step.op, &cx).await.map_err(|error| error.to_string())?;
            let remote = outcome.map_err(|failure| super::world::failed(&step, &failure))?;
            engine::record(&mut links.own, &step, remote, news.at);
        }
    }
    Ok(())
}

/// The connector of this kind with these settings.
///
/// # Errors
/// There is none, or what is wrong with them.
pub fn connector(kind: &str, settings: Value) -> Result<Box<dyn AnyConnector>, String> {
    let kind = crate::registry::kind(kind).ok_or_else(|| format!("there is no kind `{kind}`"))?;
    (kind.build)(settings).map_err(|error| error.to_string())
}

struct WithImages(Client);

#[async_trait]
impl Transport for WithImages {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.0.send(request).await
    }

    async fn fetch_untrusted(&self, url: &Url) -> Result<Response, TransportError> {
        let body: &[u8] = match url.path() {
            path if path.contains("red") => RED,
            path if path.contains("blue") => BLUE,
            // By its first bytes an image, and to a reader of images none.
            _ => b"\x89PNG\r\n\x1a\nno more",
        };
        Ok(Response { status: StatusCode::OK, headers: HeaderMap::new(), body: bytes::Bytes::from_static(body) })
    }
}
