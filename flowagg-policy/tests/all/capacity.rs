//! The table of capacities in the README is the one that the example prints.

#[path = "../../examples/capacity.rs"]
mod example;

#[test]
fn the_readme_has_the_table_that_the_example_prints() {
    let table = example::table().unwrap();
    let readme = include_str!("../../README.md");
    assert!(
        readme.contains(&table),
        "`cargo run -p flowagg-policy --example capacity` prints another table:\n{table}"
    );
}
