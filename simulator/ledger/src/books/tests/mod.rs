//! The ledger's rules, one by one: observations by hand, then a look at the books.

mod bounds;
mod ends;
mod exchanges;
mod excuses;
mod messages;
mod order;
mod retention;
mod scene;
mod sharing;
mod takeovers;
mod wills;
