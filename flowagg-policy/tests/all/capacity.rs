//! The README contains the table that the example prints.

#[path = "../../examples/capacity.rs"]
mod example;

#[test]
fn readme_contains_the_table_that_the_example_prints() {
    let table = example::table().unwrap();
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&table),
        "update the README with the output of `cargo run -p flowagg-policy --example capacity`:\n{table}"
    );
}
