//! The cost of each account as CSV, for spreadsheets and chargeback.

use std::borrow::Cow;

use super::Report;

const HEADER: &str = "account,name,unit,days,objects,bytes,delivery_usd_month,storage_usd_month";

/// Returns one line per account. Days, objects and bytes are those of the report; costs are monthly estimates, and empty if unknown.
pub fn chargeback(report: &Report) -> String {
    let mut text = format!("{HEADER}\n");
    let days = report.days.len();
    for account in &report.accounts {
        let name = cell(account.name.as_deref().unwrap_or_default());
        let unit = cell(account.unit.as_deref().unwrap_or_default());
        let [delivery, storage] =
            account.cost.map_or_else(Default::default, |cost| [cost.delivery.exact(), cost.storage.exact()]);
        let (id, objects, bytes) = (account.account, account.objects, account.bytes);
        text.push_str(&format!("{id},{name},{unit},{days},{objects},{bytes},{delivery},{storage}\n"));
    }
    text
}

/// Escapes a text as a CSV cell that is not a formula and contains no line break.
///
/// Source: "CSV Injection" (OWASP), and RFC 4180.
fn cell(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| !c.is_control() && c != ',' && c != '"';
    if text.chars().all(is_plain) && !text.starts_with(['=', '+', '-', '@']) {
        return Cow::Borrowed(text);
    }
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mark = if text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    Cow::Owned(format!("\"{mark}{}\"", text.replace('"', "\"\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_contain_no_formulas_and_no_line_breaks() {
        for (text, expected) in [
            ("shop", "shop"),
            ("=1+1", "\"'=1+1\""),
            ("a, \"b\"", "\"a, \"\"b\"\"\""),
            ("a\r\nb", "\"a  b\""),
            ("-", "\"'-\""),
        ] {
            assert_eq!(cell(text), expected);
        }
    }
}
