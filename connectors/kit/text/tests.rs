//! Proof.
use super::*;
#[test]
fn probe() {
    let Ok(html) = std::env::var("PROBE") else { return };
    let t = if html.starts_with('<') { Text::from_html(&html) } else { Text::from_plain(&html) };
    println!("HTML\n{}\nPLAIN\n{}", t.html(), t.plain());
    for d in [Dialect::GitHub, Dialect::Hugo, Dialect::Zola, Dialect::Jekyll, Dialect::Docusaurus, Dialect::Plain] {
        println!("--- {d:?}\n{}", t.markdown(d));
    }
}
