# What one does here every day. `just --list` shows it.

# The README's test command.
test:
    cargo test --workspace

# Formatting, lints, documentation.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps

# Licences, bans and sources of dependencies, without network.
deny:
    cargo deny --offline check bans licenses sources

# The whole way without any account.
demo:
    cargo run --release -- demo

# What decides whether a change lands.
ci:
    .ci/run
