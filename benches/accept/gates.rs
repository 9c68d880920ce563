//! Figures and their bounds.

/// Figures beyond their bounds.
#[derive(Default)]
pub struct Gates(Vec<String>);

impl Gates {
    pub fn at_least(&mut self, what: &str, measured: f64, bound: f64) {
        self.check(what, measured, ">=", bound, measured >= bound);
    }

    pub fn at_most(&mut self, what: &str, measured: f64, bound: f64) {
        self.check(what, measured, "<=", bound, measured <= bound);
    }

    fn check(&mut self, what: &str, measured: f64, relation: &str, bound: f64, holds: bool) {
        let line = format!("{what}: {measured:.2} {relation} {bound:.2}");
        println!("   {} {line}", if holds { "ok    " } else { "FAILED" });
        if !holds {
            self.0.push(line);
        }
    }

    /// Ends the run with 1 where a figure is beyond its bound.
    pub fn end(self) {
        if !self.0.is_empty() {
            println!("beyond their bounds:\n   {}", self.0.join("\n   "));
            std::process::exit(1);
        }
    }
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
