//! The ledger's rules, one by one: observations by hand, then a look at the books.

mod anomalies;
mod bounds;
mod copies;
mod ended_exchanges;
mod ends;
mod exchanges;
mod excuses;
mod lost_members;
mod messages;
mod moves;
mod order;
mod pace;
mod proofs;
mod replays;
mod retained_copies;
mod retention;
mod scene;
mod shared_losses;
mod sharing;
mod strangers;
mod tail;
mod takeovers;
mod will_ends;
mod will_sightings;
mod wills;
