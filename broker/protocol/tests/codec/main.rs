//! The codec against the specification: bytes written by hand, statements, and properties that
//! must hold for any packet, any split and any corruption.

//connect_statements
//fixed_header_statements
//mutations
//packets
//properties_statements
//publish_statements
//reader
//round_trip
//splits
//subscribe_statements
//template
//text_statements
//topics
mod vectors;
mod vectors_3_1_1;
mod vectors_5;
mod wire;
