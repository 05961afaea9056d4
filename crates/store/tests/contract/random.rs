//! Random cases against a real store.

use std::fmt::Debug;

use proptest::prelude::Strategy;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use tokio::runtime::Handle;

use crate::support::Backend;

/// Tries so many cases, fewer where each takes long, or as many as `PROPTEST_CASES` says, each on the runtime of the test.
pub(crate) fn try_cases<B: Backend, T: Debug, F: Future<Output = TestCaseResult>>(
    cases: u32,
    strategy: impl Strategy<Value = T>,
    case: impl Fn(T) -> F,
) {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let cases = asked.unwrap_or(cases.div_ceil(B::ONE_CASE_IN));
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = tokio::task::block_in_place(|| {
        TestRunner::new(config).run(&strategy, |value| Handle::current().block_on(case(value)))
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
