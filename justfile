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

# `kill -9` at random, then at every named point of src/crash.rs.
crash kills="200":
    SLEEKSYNC_CRASH_KILLS={{kills}} cargo test --release --test crash -- --nocapture
    SLEEKSYNC_CRASH_KILLS={{kills}} cargo test --release --features crash-points --test crash -- --nocapture

# Durable accepts beside an echo and a reference, memory, start and rebuild.
bench part="":
    cargo bench --bench accept -- {{part}}

# What reaches a receiver, beside a reference, and a SQLite file.
bench-deliver part="":
    cargo bench --bench deliver -- {{part}}

# What decides whether a change lands.
ci:
    .ci/run
