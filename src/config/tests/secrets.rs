//! Secrets: where they come from, and that nothing ever prints one.

use super::{Case, KEYS};

const CANARY: &str = "canary-7f3a";
const BOARD: &str = "[connectors.board]\nkind = \"board\"\nrepository = \"a/b\"\n";

#[test]
fn a_secret_in_a_file_hangs_on_the_folder_of_the_configuration() {
    let text = format!(
        "[receiver]\nkeys = [{{ file = \"secrets/key\" }}]\n{BOARD}token = {{ file = \"secrets/token\" }}\nexpect_token = \"{CANARY}\"\n"
    );
    let case = Case::new()
        .write("etc/sleeksync.toml", &text)
        .write("etc/secrets/key", "k\n")
        .write("etc/secrets/token", &format!("{CANARY}\r\n"))
        .files(&["etc/sleeksync.toml"]);
    assert_eq!(case.load().receiver.keys[0].expose(), "k");
}

#[test]
fn a_map_with_an_entry_called_file_is_no_secret() {
    let text = format!("{KEYS}{BOARD}token = \"t\"\nstatus_labels = {{ file = \"a file\" }}\n");
    assert_eq!(Case::of(&text).lines(), [""; 0]);
}

#[test]
fn numbers_are_taken_as_the_secret_they_spell() {
    let text = format!("[receiver]\nkeys = [123456]\n{BOARD}token = 42\nexpect_token = \"42\"\n");
    assert_eq!(Case::of(&text).load().receiver.keys[0].expose(), "123456");
}

#[test]
fn a_later_layer_replaces_a_secret_as_a_whole() {
    let case = Case::new()
        .write("base.toml", &format!("[admin]\ntoken = {{ env = \"NOT_SET_ANYWHERE\" }}\n{KEYS}"))
        .write("over.toml", "[admin]\ntoken = { file = \"token\" }\n")
        .write("token", "from the file")
        .files(&["base.toml", "over.toml"]);
    assert_eq!(case.load().admin.token.unwrap().expose(), "from the file");
}

#[test]
fn a_missing_secret_is_named_by_its_source() {
    let text = format!("{KEYS}[admin]\ntoken = {{ env = \"NOT_SET_ANYWHERE\" }}\n{BOARD}token = {{ file = \"gone\" }}\n");
    let case = Case::of(&text);
    let gone = case.path("gone");
    assert_eq!(
        case.lines(),
        [
            "sleeksync.toml: admin.token: environment variable NOT_SET_ANYWHERE is not set; expected it in the environment".to_owned(),
            format!(
                "sleeksync.toml: connectors.board.token: file {} cannot be read: entity not found; expected a readable file with the secret",
                gone.display()
            ),
        ]
    );
}

#[test]
fn no_message_and_no_debug_output_quotes_a_secret() {
    let wrong = [
        format!("[receiver]\nkeys = \"{CANARY}\"\n"),
        format!("[receiver]\nkeys = [{{ envv = \"{CANARY}\" }}]\n"),
        format!("{KEYS}[admin]\ntoken = {{ file = [\"{CANARY}\"] }}\n"),
        format!("{KEYS}max_connections = \"{CANARY}\"\n"),
        format!("{KEYS}public_url = \"https://{CANARY}@host\"\n"),
        format!("{KEYS}{BOARD}token = {{ key = \"{CANARY}\" }}\n"),
        format!("{KEYS}{BOARD}token = \"t\"\nlabels = \"{CANARY}\"\n"),
        format!("{KEYS}{BOARD}token = \"t\"\nretries = \"{CANARY}\"\n"),
        format!("{KEYS}{BOARD}token = \"{CANARY}\nretries = 1\n"),
    ];
    for text in wrong {
        let lines = Case::of(&text).lines();
        assert!(!lines.is_empty(), "{text}");
        assert!(!lines.concat().contains(CANARY), "{lines:?}");
    }
    let case = Case::of(&format!("[receiver]\nkeys = [\"{CANARY}\"]\n[admin]\ntoken = \"{CANARY}\"\n{BOARD}token = \"{CANARY}\"\n"));
    assert!(!format!("{:?}", case.load()).contains(CANARY));
    let case = Case::new().env("SLEEKSYNC__RECEIVER__KEYS", CANARY).env("SLEEKSYNC__CONNECTORS__BOARD__LABELS", CANARY);
    assert!(!case.lines().concat().contains(CANARY), "{:?}", case.lines());
}
