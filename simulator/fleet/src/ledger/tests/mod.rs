//! The ledger's rules, one by one: observations by hand, then a look at the books.

mod bounds;
mod excuses;
mod messages;
mod order;
mod scene;
mod sharing;
