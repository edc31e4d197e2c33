//! Prints the statements that no test cites: `cargo run -p squall-tidy > tidy/statements-without-a-test.txt`.

use squall_tidy::{statements, tree};

fn main() {
    println!("# Statements of the specifications that no test of the tree cites, one a line.");
    println!("# Some bind only clients, or parts that squall does not have yet.");
    println!(
        "# Written by: cargo run -p squall-tidy > {}",
        statements::WITHOUT_A_TEST
    );
    for id in statements::without_a_test(&tree::source_files()) {
        println!("{id}");
    }
}
