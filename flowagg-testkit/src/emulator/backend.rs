use std::fmt;
use std::str::FromStr;

#[cfg(feature = "docker")]
use super::container;
use super::{EmulatorError, python};

/// Environment variable that selects the backend: `docker`, `python` or the URL of an endpoint.
pub const BACKEND_VARIABLE: &str = "FLOWAGG_BACKEND";

/// How to get an emulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// LocalStack's image in a container.
    Docker,
    /// LocalStack from PyPI, in a cached virtual environment.
    Python,
    /// A running endpoint at this URL.
    Endpoint(String),
}

impl Backend {
    /// The backend in [`BACKEND_VARIABLE`], or else [`automatic`](Self::automatic).
    pub fn from_environment() -> Result<Self, EmulatorError> {
        match std::env::var(BACKEND_VARIABLE) {
            Ok(text) if !text.is_empty() => text.parse(),
            _ => Self::automatic(),
        }
    }

    /// Docker if an engine responds and has the image or can pull it, otherwise Python.
    ///
    /// Blocks while it checks, and while it pulls the image.
    pub fn automatic() -> Result<Self, EmulatorError> {
        #[cfg(feature = "docker")]
        let Err(docker) = container::check() else { return Ok(Self::Docker) };
        #[cfg(not(feature = "docker"))]
        let docker = EmulatorError::without_docker();
        let Err(python) = python::check() else { return Ok(Self::Python) };
        Err(EmulatorError::NothingThere { docker: docker.to_string(), python: python.to_string() })
    }
}

impl FromStr for Backend {
    type Err = EmulatorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "docker" => Ok(Self::Docker),
            "python" => Ok(Self::Python),
            url if url.starts_with("http://") || url.starts_with("https://") => {
                Ok(Self::Endpoint(url.trim_end_matches('/').to_owned()))
            }
            _ => Err(EmulatorError::Backend(text.to_owned())),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker",
            Self::Python => "python",
            Self::Endpoint(url) => url,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backends_round_trip_through_text() {
        for text in ["docker", "python", "http://127.0.0.1:4566", "https://aws.example:8443"] {
            assert_eq!(text.parse::<Backend>().unwrap().to_string(), text);
        }
        assert_eq!("http://localhost:4566/".parse::<Backend>().unwrap().to_string(), "http://localhost:4566");
    }

    #[test]
    fn unknown_backend_error_lists_the_valid_ones() {
        let error = "podman".parse::<Backend>().unwrap_err().to_string();
        snapbox::assert_data_eq!(
            error,
            snapbox::str![[
                r#"unknown backend `podman`: use `docker`, `python` or a URL such as `http://127.0.0.1:4566`"#
            ]]
        );
    }
}
