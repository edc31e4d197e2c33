//! What the runner asks of the machine it runs on: its limits, its parts, what processes use.

pub mod cores;
pub mod disk;
pub mod limits;
pub mod listener;
pub mod parts;
pub mod priority;
pub mod process;
pub mod processes;
pub mod programs;
pub mod switches;
pub mod system_calls;
pub mod taken_ports;
pub mod tree;
pub mod waits;
