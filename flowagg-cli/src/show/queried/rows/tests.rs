use std::sync::Arc;

use flowagg_query::datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};

use super::*;

fn batch() -> RecordBatch {
    let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("=1+1"), None, Some("a,\u{1b}[2J\"b\"")]));
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(-5), Some(9_007_199_254_740_993), None]));
    let parts: ArrayRef = Arc::new(Float64Array::from(vec![0.5, -1.0, 3.0]));
    RecordBatch::try_from_iter_with_nullable([
        ("text", texts, true),
        ("+sum", numbers, true),
        ("avg", parts, true),
    ])
    .unwrap()
}

fn written(format: ResultFormat, batches: &[RecordBatch], width: Option<usize>) -> String {
    let mut out = Vec::new();
    let mut sheet = Sheet::new(&mut out, width);
    let mut writer = ResultWriter::text(format, batch().schema());
    batches.iter().for_each(|batch| writer.write(batch, &mut sheet).unwrap());
    writer.finish(&mut sheet).unwrap();
    String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap()
}

#[test]
fn table_aligns_numbers_right_and_escapes_control_characters() {
    assert_eq!(
        written(ResultFormat::Table, &[batch()], None),
        concat!(
            "   text                        +sum   avg\n",
            "   =1+1                          -5   0.5\n",
            "   -               9007199254740993  -1.0\n",
            "   a,\\u{1b}[2J\"b\"                 -   3.0\n",
        )
    );
}

#[test]
fn wide_table_becomes_one_table_per_row() {
    assert_eq!(
        written(ResultFormat::Table, &[batch()], Some(40)),
        concat!(
            "   text  =1+1\n",
            "   +sum  -5\n",
            "   avg   0.5\n",
            "\n",
            "   text  -\n",
            "   +sum  9007199254740993\n",
            "   avg   -1.0\n",
            "\n",
            "   text  a,\\u{1b}[2J\"b\"\n",
            "   +sum  -\n",
            "   avg   3.0\n",
        )
    );
}

#[test]
fn csv_keeps_negative_numbers_and_escapes_formulas() {
    assert_eq!(
        written(ResultFormat::Csv, &[batch()], None),
        concat!(
            "text,'+sum,avg\n",
            "'=1+1,-5,0.5\n",
            ",9007199254740993,-1.0\n",
            "\"a,\\u{1b}[2J\"\"b\"\"\",,3.0\n",
        )
    );
}

#[test]
fn json_is_one_array_over_all_batches_and_rounds_no_integer() {
    assert_eq!(
        written(ResultFormat::Json, &[batch().slice(0, 1), batch().slice(1, 2)], None),
        concat!(
            "[\n",
            "  {\"text\":\"=1+1\",\"+sum\":-5,\"avg\":0.5},\n",
            "  {\"text\":null,\"+sum\":9007199254740993,\"avg\":-1.0},\n",
            "  {\"text\":\"a,\\u001b[2J\\\"b\\\"\",\"+sum\":null,\"avg\":3.0}\n",
            "]\n",
        )
    );
    assert_eq!(written(ResultFormat::Json, &[], None), "[]\n");
}

#[test]
fn ndjson_has_one_object_per_line() {
    assert_eq!(
        written(ResultFormat::Ndjson, &[batch()], None),
        concat!(
            "{\"text\":\"=1+1\",\"+sum\":-5,\"avg\":0.5}\n",
            "{\"text\":null,\"+sum\":9007199254740993,\"avg\":-1.0}\n",
            "{\"text\":\"a,\\u001b[2J\\\"b\\\"\",\"+sum\":null,\"avg\":3.0}\n",
        )
    );
}

#[test]
fn large_result_is_split_into_several_tables() {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..TABLE_ROWS as i64));
    let batch = RecordBatch::try_from_iter([("n", numbers)]).unwrap();
    let mut out = Vec::new();
    let mut sheet = Sheet::new(&mut out, None);
    let mut writer = ResultWriter::text(ResultFormat::Table, batch.schema());
    writer.write(&batch, &mut sheet).unwrap();
    writer.write(&batch.slice(0, 1), &mut sheet).unwrap();
    writer.finish(&mut sheet).unwrap();
    let text = String::from_utf8(anstream::adapter::strip_bytes(&out).into_vec()).unwrap();
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    assert_eq!(lines.len(), TABLE_ROWS + 4);
    assert_eq!(lines[TABLE_ROWS..], ["9999", "", "n", "0"]);
}
