//! Wrong configurations and the exact lines they give.

use super::{Case, KEYS};

/// Loads `[receiver] keys` and `text`; the lines without the file's name.
fn lines(text: &str) -> Vec<String> {
    let case = Case::of(&format!("{KEYS}{text}"));
    case.lines().into_iter().map(|line| line.strip_prefix("sleeksync.toml: ").map(str::to_owned).unwrap_or(line)).collect()
}

fn expect(table: &[(&str, &[&str])]) {
    for (text, expected) in table {
        assert_eq!(lines(text), *expected, "for:\n{text}");
    }
}

const DURATION: &str = "expected a duration with its unit, such as \"600ms\", \"30s\", \"15m\", \"24h\" or \"90d\"";
const BOARD: &str = "[connectors.board]\nkind = \"board\"\nrepository = \"a/b\"\ntoken = \"t\"\n";

#[test]
fn a_wrong_value_is_named_with_what_is_expected() {
    expect(&[
        ("header_timeout = 10", &[&format!("receiver.header_timeout: is this number; {DURATION}")]),
        ("header_timeout = \"10\"", &[&format!("receiver.header_timeout: `10` is no duration; {DURATION}")]),
        ("header_timeout = \"0s\"", &[&format!("receiver.header_timeout: is zero; {DURATION}")]),
        ("body_timeout = \"200000d\"", &["receiver.body_timeout: `200000d` is too long; expected at most 100 years"]),
        (
            "max_body = \"1MB\"",
            &["receiver.max_body: `1MB` is no size; expected a size with its unit, such as \"512KiB\", \"1MiB\" or \"2GiB\""],
        ),
        ("max_body = \"1GiB\"", &["receiver.max_body: is out of bounds; expected between 4KiB and 8MiB"]),
        ("max_connections = 0", &["receiver.max_connections: is out of bounds; expected between 1 and 65536"]),
        ("max_connections = -1", &["receiver.max_connections: is this number; expected a whole number that is not negative"]),
        ("max_connections = \"many\"", &["receiver.max_connections: is a text; expected a whole number that is not negative"]),
        ("allow_unauthenticated = \"yes\"", &["receiver.allow_unauthenticated: is a text; expected true or false"]),
        (
            "listen = \"8080\"",
            &[
                "receiver.listen: `8080` is no address to listen on; expected an address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"",
            ],
        ),
        ("path = \"hook\"", &["receiver.path: does not start with `/`; expected a path such as \"/webhooks/sleekplan\""]),
        ("path = \"/health/live\"", &["receiver.path: belongs to the health answers; expected a path such as \"/webhooks/sleekplan\""]),
        (
            "public_url = \"hooks.example.com\"",
            &["receiver.public_url: is no address; expected an address such as \"https://hooks.example.com\""],
        ),
        (
            "public_url = \"https://u:p@hooks.example.com\"",
            &["receiver.public_url: carries credentials; expected an address such as \"https://hooks.example.com\""],
        ),
        ("capture_dir = \"\"", &["receiver.capture_dir: is empty; expected a text, or no such key"]),
        ("[log]\nformat = \"jsn\"", &["log.format: `jsn` is not known; did you mean `json`?"]),
        (
            "[log]\nfilter = \"sleeksync=loud\"",
            &["log.filter: `sleeksync=loud` is no filter; expected a level or directives, such as \"info\" or \"sleeksync=debug,warn\""],
        ),
        ("[store]\nretention = true", &[&format!("store.retention: is a boolean; {DURATION}")]),
    ]);
}

#[test]
fn an_unknown_key_is_named_with_its_nearest() {
    expect(&[
        ("listn = \"127.0.0.1:1\"", &["receiver.listn: unknown key; did you mean `listen`?"]),
        ("[recever]\nlisten = \"127.0.0.1:1\"", &["recever: unknown key; did you mean `receiver`?"]),
        ("[log]\ncolour = true", &["log.colour: unknown key; expected one of `filter`, `format`"]),
        ("[products.acme]\ntimezone = \"UTC\"", &["products.acme.timezone: unknown key; did you mean `time_zone`?"]),
        (&format!("{BOARD}enabeld = true"), &["connectors.board.enabeld: unknown key of kind `board`; did you mean `enabled`?"]),
        (&format!("{BOARD}lables = []"), &["connectors.board.lables: unknown key of kind `board`; did you mean `labels`?"]),
        (
            &format!("{BOARD}[connectors.board.delivery]\nretries = 3"),
            &["connectors.board.delivery.retries: unknown key; expected one of `backoff_max`, `backoff_min`, `concurrency`, \
               `max_creates_per_hour`, `park_after`, `rate_per_minute`, `settle`, `timeout`"],
        ),
    ]);
}

#[test]
fn every_mistake_is_reported_in_one_run() {
    let text = "listn = 1\nmax_body = 5\nheader_timeout = \"x\"\n[admin]\nlisten = \"0.0.0.0:9280\"\n[connectors.one]\nkind = \"bord\"\n\
                [connectors.two]\nkind = \"board\"\ntoken = \"t\"\nretries = \"x\"\nlabels = [1, \"a\", 2]\ncolour = 1\n[connectors.two.delivery]\nconcurrency = 0\n";
    assert_eq!(
        lines(text),
        [
            &format!("receiver.header_timeout: `x` is no duration; {DURATION}") as &str,
            "receiver.listn: unknown key; did you mean `listen`?",
            "receiver.max_body: is this number; expected a size with its unit, such as \"512KiB\", \"1MiB\" or \"2GiB\"",
            "admin.listen: is not loopback, and there is no admin.token; expected a token, or a loopback address",
            "connectors.one.kind: `bord` is no kind; did you mean `board`?",
            "connectors.two.delivery.concurrency: is out of bounds; expected between 1 and 256",
            "connectors.two.colour: unknown key of kind `board`; expected one of `api_url`, `delivery`, `dry_run`, `enabled`, `events`, \
             `expect_token`, `kind`, `labels`, `products`, `repository`, `retries`, `since`, `status_labels`, `token`, `when`",
            "connectors.two.labels[0]: is this number; expected a text",
            "connectors.two.labels[2]: is this number; expected a text",
            "connectors.two.retries: is a text; expected a whole number that is not negative",
            "connectors.two.repository: is missing; expected by kind `board`",
        ]
    );
}

#[test]
fn text_that_is_no_toml_is_named_by_its_line_and_not_quoted() {
    let lines = lines("max_body = \"1MiB\nlisten = hunter2\n");
    assert!(lines[0].starts_with("line 3: "), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("line 4: ")), "{lines:?}");
    assert!(!lines.concat().contains("hunter2"), "{lines:?}");
}

#[test]
fn a_connector_that_does_not_fit_its_kind_is_refused() {
    expect(&[
        (
            "[connectors.Blog]\nkind = \"chat\"\nevents = [\"user.create\"]\nwebhook_url = \"x\"",
            &["connectors.Blog: is no name; expected a name of a-z, 0-9, _ and -, at most 63 long, starting with a letter or digit"],
        ),
        ("[connectors.x]\nenabled = true", &["connectors.x.kind: is missing; expected one of `board`, `chat`, `site`"]),
        (
            "[connectors.chat]\nkind = \"chat\"\nwebhook_url = \"x\"",
            &["connectors.chat.events: is missing; expected a list, because kind `chat` has to be told what to send"],
        ),
        (
            &format!("{BOARD}events = []"),
            &["connectors.board.events: is empty; expected events such as [\"changelog.create\"], or no such key"],
        ),
        (
            &format!("{BOARD}events = [\"item.crate\"]"),
            &["connectors.board.events[0]: `item.crate` is no event; did you mean `item.create`?"],
        ),
        (
            &format!("{BOARD}events = [\"item.create\", \"changelog.create\"]"),
            &[
                "connectors.board.events[1]: kind `board` cannot use `changelog.create`; expected one of `comment.create`, `comment.delete`, \
            `comment.update`, `item.create`, `item.delete`, `item.update`",
            ],
        ),
        (
            &format!("{BOARD}when = {{ entry = \"true\" }}"),
            &["connectors.board.when.entry: kind `board` takes no such item; expected one of `comment`, `feedback`"],
        ),
        (
            &format!("{BOARD}since = \"yesterday\""),
            &["connectors.board.since: `yesterday` is no point in time; expected a day such as \"2026-01-01\", a time such as \
            \"2026-01-01T08:00:00Z\", or \"all\""],
        ),
        (
            &format!("{BOARD}products = [\"acme\"]"),
            &["connectors.board.products[0]: `acme` is no configured product; expected a table [products.acme]"],
        ),
        (&format!("{BOARD}products = []"), &["connectors.board.products: is empty; expected names of products, or no such key"]),
        (
            "[connectors.b]\nkind = \"board\"\nrepository = \"widgets\"\ntoken = \"t\"",
            &["connectors.b.repository: names no owner; expected `owner/name`"],
        ),
    ]);
}

#[test]
fn templates_and_conditions_are_read_before_anything_runs() {
    let starts = |text: &str, start: &str| {
        let lines = lines(text);
        assert!(lines.len() == 1 && lines[0].starts_with(start), "{lines:?} does not start with {start}");
    };
    starts(&format!("{BOARD}when = {{ feedback = \"votes_up >= \" }}"), "connectors.board.when.feedback: syntax error");
    starts(
        &format!("{BOARD}when = {{ feedback = \"vots_up > 5\" }}"),
        "connectors.board.when.feedback: `vots_up` is not known; did you mean `votes_up`?",
    );
    starts("[products.a]\nentry_url = \"https://a/{{ entry.id\"", "products.a.entry_url: syntax error");
    starts("[products.a]\nfeedback_url = \"https://a/{{ feedback.number }}\"", "products.a.feedback_url: `feedback.number` is not known");
    expect(&[(
        "[products.a]\nentry_url = \"https://a/{{ entry.type }}\"",
        &["products.a.entry_url: cannot be filled in; expected entry.id and entry.title at most"],
    )]);
    expect(&[(&format!("{BOARD}when = {{ feedback = \"votes_up >= 5 and type == 'bug'\" }}"), &[])]);
}

#[test]
fn two_enabled_connectors_of_one_scope_are_refused() {
    let two = "[connectors.a]\nkind = \"board\"\nrepository = \"a/b\"\ntoken = \"t\"\n[connectors.b]\nkind = \"board\"\nrepository = \"a/b\"\ntoken = \"t\"\n";
    let line = "connectors.b: writes to `board:a/b` like connectors.a, and both take the same kinds of items; expected one of them \
                disabled, or another target";
    expect(&[(two, &[line]), (&format!("{two}enabled = false\n"), &[])]);
}

#[test]
fn products_are_told_apart_by_their_ids() {
    expect(&[
        ("[products.a]\n", &[]),
        ("[products.a]\nid = 1\n[products.b]\nid = 1\n", &["products.b.id: is the id of `a` too; expected one table per product"]),
        (
            "[products.a]\nid = 1\n[products.b]\n",
            &["products.b.id: is missing; expected the product's number: it may be left out only where one product is configured"],
        ),
        (
            "[products.a]\ntime_zone = \"Europe/Berln\"",
            &["products.a.time_zone: `Europe/Berln` is no time zone; did you mean `Europe/Berlin`?"],
        ),
        (
            "[products.a]\nid = 1\n[products.b]\nid = 2\n[connectors.p]\nkind = \"site\"\npath = \"out\"",
            &[
                "connectors.p.products: has 2 products, and a `site` serves one; expected one name, and another connector for each further product",
            ],
        ),
    ]);
}

#[test]
fn delivery_is_bounded() {
    let waits = vec!["\"1s\""; 33].join(", ");
    expect(&[
        ("[delivery]\nsettle = []", &["delivery.settle: is empty; expected waits such as [\"0s\", \"30s\", \"2m\"], or no such key"]),
        (&format!("[delivery]\nsettle = [{waits}]"), &["delivery.settle: is too long; expected at most 32 waits"]),
        (
            "[delivery]\nbackoff_min = \"10m\"",
            &["delivery.backoff_min: leaves backoff_max below backoff_min; expected backoff_min <= backoff_max"],
        ),
        ("[delivery]\ntimeout = \"2h\"", &["delivery.timeout: is too long; expected at most \"1h\""]),
    ]);
}

#[test]
fn a_receiver_without_keys_has_to_say_so() {
    let missing = "receiver.keys: is missing; expected the key of Sleekplan's webhook, such as [{ env = \"SLEEKPLAN_WEBHOOK_KEY\" }], or \
                   allow_unauthenticated = true";
    assert_eq!(Case::new().lines(), [format!("built-in defaults: {missing}")]);
    assert_eq!(Case::of("[receiver]\n").lines(), [format!("sleeksync.toml: {missing}")]);
    assert_eq!(Case::of("[receiver]\nallow_unauthenticated = true\n").lines(), [""; 0]);
    let empty = "sleeksync.toml: receiver.keys: is empty; expected the key of Sleekplan's webhook, or no such key and \
                 allow_unauthenticated = true";
    assert_eq!(Case::of("[receiver]\nkeys = []\n").lines(), [empty]);
}

#[test]
fn one_port_cannot_have_two_listeners() {
    expect(&[("[admin]\nlisten = \"127.0.0.1:8080\"", &["admin.listen: is the address of receiver.listen; expected another port"])]);
}

#[test]
fn a_file_that_is_not_there_is_a_mistake() {
    assert_eq!(
        Case::new().files(&["gone.toml"]).lines(),
        ["gone.toml: file: cannot be read: entity not found; expected a readable TOML file"]
    );
}
