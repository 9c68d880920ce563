//! The connector against GitHub's answers.
