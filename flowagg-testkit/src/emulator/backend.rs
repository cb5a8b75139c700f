use std::fmt;
use std::str::FromStr;

#[cfg(feature = "docker")]
use super::container;
use super::{EmulatorError, python};

/// The environment variable that names the backend: `docker`, `python` or the URL of an endpoint.
pub const BACKEND_VARIABLE: &str = "FLOWAGG_BACKEND";

/// A way to an emulator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// LocalStack's image in a container.
    Docker,
    /// LocalStack from PyPI, in a cached virtual environment.
    Python,
    /// An endpoint that is there already, by its URL.
    Endpoint(String),
}

impl Backend {
    /// The backend that [`BACKEND_VARIABLE`] names, else [`automatic`](Self::automatic).
    pub fn from_environment() -> Result<Self, EmulatorError> {
        match std::env::var(BACKEND_VARIABLE) {
            Ok(text) if !text.is_empty() => text.parse(),
            _ => Self::automatic(),
        }
    }

    /// Docker where an engine answers and has the image or can pull it, else Python.
    ///
    /// Blocks while it asks, and while the image is pulled.
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
    fn a_backend_is_read_as_it_is_written() {
        for text in ["docker", "python", "http://127.0.0.1:4566", "https://aws.example:8443"] {
            assert_eq!(text.parse::<Backend>().unwrap().to_string(), text);
        }
        assert_eq!("http://localhost:4566/".parse::<Backend>().unwrap().to_string(), "http://localhost:4566");
    }

    #[test]
    fn another_word_is_told_what_may_stand_there() {
        let error = "podman".parse::<Backend>().unwrap_err().to_string();
        snapbox::assert_data_eq!(
            error,
            snapbox::str![
                "`podman` is no backend: `docker`, `python` or a URL such as `http://127.0.0.1:4566`"
            ]
        );
    }
}
