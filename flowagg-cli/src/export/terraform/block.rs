//! A Terraform configuration as a value: blocks and their contents. `hcl` and `json` write it.

/// A top-level block of a file.
#[derive(Clone, Debug)]
pub(super) struct Block {
    pub(super) kind: &'static str,
    pub(super) labels: Vec<String>,
    pub(super) body: Body,
}

/// The contents of a block, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Body {
    pub(super) items: Vec<Item>,
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    Argument(&'static str, Value),
    /// A nested block; several may have the same name.
    Block(&'static str, Body),
    /// A blank line.
    Gap,
}

/// The value of an argument.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// A literal string, without interpolation.
    Text(String),
    /// A number, `true`, `false` or `null`.
    Plain(serde_json::Value),
    Expression(String),
    /// The address of a provider, a resource or an instance, in places where Terraform requires an address.
    Address(String),
    /// The value of an expression, followed by a literal string.
    Joined {
        expression: String,
        rest: String,
    },
    /// A call of a Terraform function with these arguments.
    Call(&'static str, Vec<Value>),
    List(Vec<Value>),
    /// A map or an object, in order.
    Map(Vec<(String, Value)>),
}

impl Block {
    pub(super) fn new(kind: &'static str, labels: &[&str], body: Body) -> Self {
        Self { kind, labels: labels.iter().map(|label| (*label).to_owned()).collect(), body }
    }

    pub(super) fn resource(r#type: &str, name: &str, body: Body) -> Self {
        Self::new("resource", &[r#type, name], body)
    }
}

impl Body {
    pub(super) fn set(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.items.push(Item::Argument(name, value.into()));
        self
    }

    pub(super) fn set_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self,
        }
    }

    pub(super) fn block(mut self, name: &'static str, body: Body) -> Self {
        self.items.push(Item::Block(name, body));
        self
    }

    pub(super) fn gap(mut self) -> Self {
        self.items.push(Item::Gap);
        self
    }
}

impl Value {
    pub(super) fn expression(text: impl Into<String>) -> Self {
        Self::Expression(text.into())
    }

    pub(super) fn address(text: impl Into<String>) -> Self {
        Self::Address(text.into())
    }

    pub(super) fn texts(texts: impl IntoIterator<Item = impl ToString>) -> Self {
        Self::List(texts.into_iter().map(|text| Self::Text(text.to_string())).collect())
    }

    /// Converts a JSON value, with all strings as literals. Members are sorted by name, because the order of serde_json depends on its build
    /// features.
    pub(super) fn of_json(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::String(text) => Self::Text(text),
            serde_json::Value::Array(all) => Self::List(all.into_iter().map(Self::of_json).collect()),
            serde_json::Value::Object(members) => {
                let mut members: Vec<_> =
                    members.into_iter().map(|(key, value)| (key, Self::of_json(value))).collect();
                members.sort_by(|(a, _), (b, _)| a.cmp(b));
                Self::Map(members)
            }
            plain => Self::Plain(plain),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Plain(flag.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Plain(number.into())
    }
}

/// Escapes interpolations and directives in a string.
///
/// Source: "Strings and Templates", escape sequences (Terraform Language Documentation).
pub(super) fn escaped(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}
