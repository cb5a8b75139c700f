/// Is told how far a long piece of work has come, and asked whether to go on.
pub trait Progress: Sync {
    /// `done` of `total` steps of `what` are done; the last one was at `at`.
    fn step(&self, what: &str, done: usize, total: usize, at: &str);

    /// Whether to start no further account and region, after so many failures. What is under way is finished.
    fn stops(&self, failures: usize) -> bool {
        let _ = failures;
        false
    }
}

/// Tells nobody, and always goes on.
impl Progress for () {
    fn step(&self, _: &str, _: usize, _: usize, _: &str) {}
}
