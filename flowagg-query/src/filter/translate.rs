//! Translates DataFusion expressions to predicates.

use std::collections::BTreeSet;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Between, BinaryExpr, Cast, Expr, Operator};
use flowagg_core::flow_log::FieldKind;

use super::{Leaf, Numbers, Predicate, Test, Texts};
use crate::columns::Column;

/// Translates an expression. Parts that the reader cannot evaluate become [`Predicate::Unknown`].
pub(crate) fn translate(expression: &Expr) -> Predicate {
    read(expression, true)
}

/// The condition for the expression to be true (`wanted`) or false.
fn read(expression: &Expr, wanted: bool) -> Predicate {
    match expression {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            let parts = vec![read(left, wanted), read(right, wanted)];
            if (*op == Operator::And) == wanted { Predicate::All(parts) } else { Predicate::Any(parts) }
        }
        Expr::Not(inner) => read(inner, !wanted),
        Expr::IsNull(inner) => null(inner, wanted),
        Expr::IsNotNull(inner) => null(inner, !wanted),
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let compared = match (column(left), column(right)) {
                (Some(column), None) => compare(column, *op, right, wanted),
                (None, Some(column)) => op.swap().and_then(|op| compare(column, op, left, wanted)),
                _ => None,
            };
            compared.unwrap_or(Predicate::Unknown)
        }
        Expr::Between(Between { expr, negated, low, high }) => {
            let wanted = wanted != *negated;
            let parts = column(expr).and_then(|column| {
                let low = compare(column, Operator::GtEq, low, wanted)?;
                Some(vec![low, compare(column, Operator::LtEq, high, wanted)?])
            });
            match parts {
                None => Predicate::Unknown,
                Some(parts) if wanted => Predicate::All(parts),
                Some(parts) => Predicate::Any(parts),
            }
        }
        Expr::InList(InList { expr, list, negated }) => column(expr)
            .and_then(|column| among(column, list, wanted != *negated))
            .unwrap_or(Predicate::Unknown),
        _ => Predicate::Unknown,
    }
}

/// The column of an expression that returns its values, possibly cast to a wider type.
fn column(expression: &Expr) -> Option<Column> {
    match expression {
        Expr::Column(column) => Column::named(&column.name),
        Expr::Cast(Cast { expr, field }) => {
            let column = column(expr)?;
            let kind = field.data_type();
            let keeps = match column {
                Column::Time(_) => {
                    kind.is_temporal() && matches!(kind, arrow::datatypes::DataType::Timestamp(..))
                }
                Column::Field(field) if field.kind() != FieldKind::Text => {
                    *kind == arrow::datatypes::DataType::Int64
                }
                Column::Field(_) | Column::Path(_) => kind.is_string(),
            };
            keeps.then_some(column)
        }
        _ => None,
    }
}

fn is_text(column: Column) -> bool {
    match column {
        Column::Field(field) => field.kind() == FieldKind::Text,
        Column::Time(_) => false,
        Column::Path(_) => true,
    }
}

fn null(inner: &Expr, is_null: bool) -> Predicate {
    let test = if is_null { Test::IsNull } else { Test::IsNotNull };
    match column(inner) {
        Some(column) => Predicate::Leaf(Leaf { column, test }),
        None => Predicate::Unknown,
    }
}

fn compare(column: Column, op: Operator, literal: &Expr, wanted: bool) -> Option<Predicate> {
    let op = if wanted { op } else { op.negate()? };
    let Expr::Literal(value, _) = literal else { return None };
    let test = if is_text(column) {
        let text = value.try_as_str()??.to_owned();
        Test::Text(match op {
            Operator::Eq => Texts::In(BTreeSet::from([text])),
            Operator::NotEq => Texts::NotIn(BTreeSet::from([text])),
            Operator::Gt => Texts::From(text, true),
            Operator::GtEq => Texts::From(text, false),
            Operator::Lt => Texts::To(text, true),
            Operator::LtEq => Texts::To(text, false),
            _ => return None,
        })
    } else {
        Test::Number(numbers(number(column, value)?, op)?)
    };
    Some(Predicate::Leaf(Leaf { column, test }))
}

/// The numbers for which a comparison is true.
fn numbers(Number { floor, is_whole }: Number, op: Operator) -> Option<Numbers> {
    const NONE: Numbers = Numbers::Range(1, 0);
    let below = floor.checked_sub(1).map_or(NONE, |last| Numbers::Range(i64::MIN, last));
    let above = floor.checked_add(1).map_or(NONE, |first| Numbers::Range(first, i64::MAX));
    Some(match op {
        Operator::Eq if is_whole => Numbers::Range(floor, floor),
        Operator::Eq => NONE,
        Operator::NotEq if is_whole => Numbers::NotIn(BTreeSet::from([floor])),
        Operator::NotEq => Numbers::Range(i64::MIN, i64::MAX),
        Operator::Lt if is_whole => below,
        Operator::Lt | Operator::LtEq => Numbers::Range(i64::MIN, floor),
        Operator::GtEq if is_whole => Numbers::Range(floor, i64::MAX),
        Operator::Gt | Operator::GtEq => above,
        _ => return None,
    })
}

fn among(column: Column, list: &[Expr], wanted: bool) -> Option<Predicate> {
    let values = list.iter().map(|item| match item {
        Expr::Literal(value, _) => Some(value),
        _ => None,
    });
    let test = if is_text(column) {
        let texts = values.map(|value| Some(value?.try_as_str()??.to_owned())).collect::<Option<_>>()?;
        Test::Text(if wanted { Texts::In(texts) } else { Texts::NotIn(texts) })
    } else {
        let whole = |value| {
            let number = number(column, value)?;
            number.is_whole.then_some(number.floor)
        };
        let numbers = values.map(|value| whole(value?)).collect::<Option<_>>()?;
        Test::Number(if wanted { Numbers::In(numbers) } else { Numbers::NotIn(numbers) })
    };
    Some(Predicate::Leaf(Leaf { column, test }))
}

/// A literal as a number of the column, in seconds for time columns.
#[derive(Clone, Copy)]
struct Number {
    floor: i64,
    is_whole: bool,
}

fn number(column: Column, value: &ScalarValue) -> Option<Number> {
    let parts = |value: i64, per_second: i64| Number {
        floor: value.div_euclid(per_second),
        is_whole: value.rem_euclid(per_second) == 0,
    };
    if matches!(column, Column::Time(_)) {
        return Some(match value {
            ScalarValue::TimestampSecond(Some(time), _) => parts(*time, 1),
            ScalarValue::TimestampMillisecond(Some(time), _) => parts(*time, 1_000),
            ScalarValue::TimestampMicrosecond(Some(time), _) => parts(*time, 1_000_000),
            ScalarValue::TimestampNanosecond(Some(time), _) => parts(*time, 1_000_000_000),
            _ => return None,
        });
    }
    let whole = match value {
        ScalarValue::Int8(Some(number)) => i64::from(*number),
        ScalarValue::Int16(Some(number)) => i64::from(*number),
        ScalarValue::Int32(Some(number)) => i64::from(*number),
        ScalarValue::Int64(Some(number)) => *number,
        ScalarValue::UInt8(Some(number)) => i64::from(*number),
        ScalarValue::UInt16(Some(number)) => i64::from(*number),
        ScalarValue::UInt32(Some(number)) => i64::from(*number),
        _ => return None,
    };
    Some(parts(whole, 1))
}
