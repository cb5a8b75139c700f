//! The five queries and their expected answers.

use crate::bucket::{self, RARE, Truth};

/// A query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    BytesByAccount,
    TopPairs,
    OneAddress,
    RejectedByAccountAndPort,
    OneAccount,
}

/// Rows as text.
pub(crate) type Answer = Vec<Vec<String>>;

impl Question {
    pub(crate) const ALL: [Self; 5] = [
        Self::BytesByAccount,
        Self::TopPairs,
        Self::OneAddress,
        Self::RejectedByAccountAndPort,
        Self::OneAccount,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BytesByAccount => "bytes by account",
            Self::TopPairs => "top 10 address pairs",
            Self::OneAddress => "one address",
            Self::RejectedByAccountAndPort => "rejected by account and port",
            Self::OneAccount => "one account's count",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|question| question.name() == name)
    }

    /// The number of the query in the script for other engines.
    pub(crate) fn number(self) -> usize {
        Self::ALL.iter().position(|question| *question == self).unwrap()
    }

    pub(crate) fn sql(self) -> String {
        match self {
            Self::BytesByAccount => {
                "SELECT account_id, sum(bytes) FROM vpc_flow_logs GROUP BY account_id ORDER BY 1".to_owned()
            }
            Self::TopPairs => {
                "SELECT srcaddr, dstaddr, sum(bytes) AS total FROM vpc_flow_logs GROUP BY srcaddr, dstaddr \
                               ORDER BY total DESC LIMIT 10"
                    .to_owned()
            }
            Self::OneAddress => {
                format!(
                    "SELECT srcaddr, dstaddr, dstport, bytes, \"end\" FROM vpc_flow_logs WHERE srcaddr = '{RARE}' OR dstaddr = '{RARE}'"
                )
            }
            Self::RejectedByAccountAndPort => {
                "SELECT account_id, dstport, count(*) FROM vpc_flow_logs WHERE action = 'REJECT' \
                                               GROUP BY account_id, dstport ORDER BY 1, 2"
                    .to_owned()
            }
            Self::OneAccount => {
                format!("SELECT count(*) FROM vpc_flow_logs WHERE log_account = '{}'", bucket::account(0))
            }
        }
    }

    /// The expected answer; for [`Question::OneAddress`], only the number of rows.
    pub(crate) fn expected(self, truth: &Truth) -> Answer {
        match self {
            Self::BytesByAccount => truth
                .bytes_by_account
                .iter()
                .map(|(account, bytes)| vec![account.clone(), bytes.to_string()])
                .collect(),
            Self::TopPairs => truth
                .top_pairs
                .iter()
                .map(|(from, to, bytes)| vec![from.clone(), to.clone(), bytes.to_string()])
                .collect(),
            Self::OneAddress => vec![vec![truth.rare.to_string()]],
            Self::RejectedByAccountAndPort => truth
                .rejected
                .iter()
                .map(|((account, port), count)| vec![account.clone(), port.to_string(), count.to_string()])
                .collect(),
            Self::OneAccount => vec![vec![truth.of_first_account.to_string()]],
        }
    }
}
