//! The codec against the specification: bytes written by hand, statements, and properties that
//! must hold for any packet, any split and any corruption.

mod connect_statements;
mod connection_packets;
mod fixed_header_statements;
mod mutations;
mod packets;
mod properties_statements;
mod publish_statements;
mod reader;
mod round_trip;
mod splits;
mod subscribe_statements;
mod template;
mod text_statements;
mod topics;
mod vectors;
mod vectors_3_1_1;
mod vectors_5;
mod wire;
