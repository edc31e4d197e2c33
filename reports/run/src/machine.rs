//! The machine the devices ran on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The machine that generated the load; with an embedded or spawned target, the broker's too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// Model name of the processor.
    pub cpu: String,
    /// Logical cores that the process may use.
    pub cores: u32,
    /// Physical memory.
    pub memory_bytes: u64,
    /// Operating system and kernel release.
    pub kernel: String,
    /// Name of the host.
    pub hostname: String,
    /// Limits that bound how many devices fit.
    pub limits: Limits,
}

/// Limits of the operating system on the process that generates the load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// Open descriptors that one process may have.
    pub descriptors: u64,
    /// Local ports that outgoing connections may use, for each address of the broker.
    pub ports: u32,
}
