//! The client's and the server's end of a connection, joined in memory.

mod garbage;
mod joined;
mod passing;
mod refusals;
mod requests;
