//! Options and environment variables that decide how AWS is reached.

use std::env::{self, VarError};

/// An option, an environment variable or a line of the AWS configuration whose value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {what}")]
#[non_exhaustive]
pub struct SettingError {
    /// The option, the variable or the key.
    pub name: String,
    /// What is wrong with the value, without the user name and password of a URL.
    pub what: String,
    /// How to fix it.
    pub help: String,
}

impl SettingError {
    pub(super) fn new(name: impl Into<String>, what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { name: name.into(), what: what.into(), help: help.into() }
    }
}

/// The file of trusted certificates that replaces those of the machine.
const CERTIFICATES: &str = "SSL_CERT_FILE";

/// Checks that the file of trusted certificates has one: without any, no endpoint is trusted.
pub(super) fn check_certificates() -> Result<(), SettingError> {
    let Some(path) = env::var_os(CERTIFICATES) else { return Ok(()) };
    let what = match std::fs::read(&path) {
        Err(error) => format!("`{}` cannot be read: {error}", path.display()),
        Ok(text) if !String::from_utf8_lossy(&text).contains("-----BEGIN ") => {
            format!("`{}` has no certificate in PEM format", path.display())
        }
        Ok(_) => return Ok(()),
    };
    Err(SettingError::new(
        CERTIFICATES,
        what,
        "name a file of certificates in PEM format, or unset SSL_CERT_FILE",
    ))
}

/// The value of a variable, which may be empty; `None` if it is not set.
pub(super) fn raw(name: &str) -> Result<Option<String>, SettingError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            Err(SettingError::new(name, "the value is not valid UTF-8", format!("correct or unset {name}")))
        }
    }
}

/// The value of a variable; an empty one is unset, as for the AWS CLI.
pub(super) fn variable(name: &str) -> Result<Option<String>, SettingError> {
    Ok(raw(name)?.filter(|value| !value.is_empty()))
}

/// The URL without a user name and password, which are secrets.
pub(super) fn redacted(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.rsplit_once('@').map_or_else(|| url.to_owned(), |(_, host)| format!("***@{host}"));
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}{path}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_name_and_password_of_a_url_are_not_shown() {
        for (url, shown) in [
            ("http://localhost:4566", "http://localhost:4566"),
            ("http://user:p@ss@proxy.example:8080/a@b", "http://***@proxy.example:8080/a@b"),
            ("https://token@aws.example", "https://***@aws.example"),
            ("https://aws.example?a@b", "https://aws.example?a@b"),
            ("user:pass@proxy:8080", "***@proxy:8080"),
            ("no url", "no url"),
        ] {
            assert_eq!(redacted(url), shown);
        }
    }
}
