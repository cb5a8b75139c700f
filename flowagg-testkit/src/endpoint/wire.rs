//! AWS's errors in the format of each service.

use super::call::{Call, Wire};

const REQUEST_ID: &str = "00000000-0000-0000-0000-000000000000";

/// The HTTP response with an error.
///
/// Sources: "Troubleshoot Amazon EC2 API request errors", error response format (Amazon EC2 Developer Guide); "Common
/// errors" (AWS STS API Reference); "Error responses" (Amazon S3 API Reference).
pub(crate) fn error(call: &Call, status: u16, code: &str, message: &str) -> String {
    let said = format!("<Code>{}</Code><Message>{}</Message>", escaped(code), escaped(message));
    let xml = match call.wire {
        Wire::Ec2 => {
            format!(
                "<Response><Errors><Error>{said}</Error></Errors><RequestID>{REQUEST_ID}</RequestID></Response>"
            )
        }
        Wire::Sts => format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>{said}</Error>\
             <RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
        ),
        Wire::S3 => format!("<Error>{said}<RequestId>{REQUEST_ID}</RequestId></Error>"),
    };
    // Responses to `HEAD` have headers only.
    let body = if call.is_head { "" } else { &xml };
    let length = xml.len();
    format!(
        "HTTP/1.1 {status} Refused\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// A response of EC2 with one more unsuccessful resource.
pub(crate) fn with_unsuccessful(answer: &str, resource: &str, code: &str, message: &str) -> String {
    let item = format!(
        "<error><code>{}</code><message>{}</message></error><resourceId>{resource}</resourceId>",
        escaped(code),
        escaped(message)
    );
    with_item(answer, "unsuccessful", &item)
}

/// A response of EC2 with an item appended to a list, which is created if missing.
pub(crate) fn with_item(answer: &str, list: &str, item: &str) -> String {
    let (start, end) = (format!("<{list}>"), format!("</{list}>"));
    let whole = [format!("<{list} />"), format!("<{list}/>")]
        .iter()
        .fold(answer.to_owned(), |text, empty| text.replace(empty, &format!("{start}{end}")));
    match whole.rsplit_once(&end) {
        Some((before, after)) => format!("{before}<item>{item}</item>{end}{after}"),
        None => whole.replace("<requestId>", &format!("{start}<item>{item}</item>{end}<requestId>")),
    }
}

/// The text without the elements of this name.
pub(crate) fn without(xml: &str, name: &str) -> String {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    let mut parts = xml.split(&start);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once(&end).map_or("", |(_, rest)| rest))
}

/// The content of the first element of this name.
pub(crate) fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(text, _)| text)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_format_of_their_service() {
        let call = |wire, is_head| Call {
            line: String::new(),
            operation: String::new(),
            wire,
            is_head,
            account: None,
            region: None,
        };
        let answers =
            [Wire::Ec2, Wire::Sts, Wire::S3].map(|wire| error(&call(wire, false), 403, "No", "a & b"));
        snapbox::assert_data_eq!(
            answers.join("\n"),
            snapbox::str![[r#"
HTTP/1.1 403 Refused
Content-Type: text/xml
Content-Length: 155
Connection: close

<Response><Errors><Error><Code>No</Code><Message>a &amp; b</Message></Error></Errors><RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>
HTTP/1.1 403 Refused
Content-Type: text/xml
Content-Length: 217
Connection: close

<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>No</Code><Message>a &amp; b</Message></Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>
HTTP/1.1 403 Refused
Content-Type: text/xml
Content-Length: 117
Connection: close

<Error><Code>No</Code><Message>a &amp; b</Message><RequestId>00000000-0000-0000-0000-000000000000</RequestId></Error>
"#]]
        );
        assert!(error(&call(Wire::S3, true), 403, "No", "no").ends_with("\r\n\r\n"));
    }

    #[test]
    fn only_the_named_elements_are_removed() {
        assert_eq!(without("<a><b>1</b>2<b>3</b></a><bc>4</bc>", "b"), "<a>2</a><bc>4</bc>");
    }

    #[test]
    fn unsuccessful_item_is_added_to_every_form_of_the_list() {
        let item =
            "<item><error><code>400</code><message>no</message></error><resourceId>vpc-a</resourceId></item>";
        for (answer, expected) in [
            ("<a><unsuccessful /><requestId>", format!("<a><unsuccessful>{item}</unsuccessful><requestId>")),
            ("<a><unsuccessful/><requestId>", format!("<a><unsuccessful>{item}</unsuccessful><requestId>")),
            ("<a><requestId>", format!("<a><unsuccessful>{item}</unsuccessful><requestId>")),
            ("<unsuccessful><item/></unsuccessful>", format!("<unsuccessful><item/>{item}</unsuccessful>")),
        ] {
            assert_eq!(with_unsuccessful(answer, "vpc-a", "400", "no"), expected);
        }
    }
}
