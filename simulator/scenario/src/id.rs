//! Names for what a run consists of: small indexes, given once, in file order.

/// A device: counted from 0 over all groups in file order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DeviceId(pub u32);

/// A `[[group]]` of the scenario, counted from 0 in file order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GroupId(pub u16);

/// A `[[fault]]` of the scenario, counted from 0 in file order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FaultId(pub u16);

/// A `[[network]]` of the scenario or a preset in use, counted from 0 in file order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NetworkId(pub u16);

/// A command that gives the payloads of a `[[group.publish]]`, counted from 0 over all groups in file order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LinesId(pub u16);

/// A Client Identifier, interned: devices that share one share this, and the Session behind it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ClientKey(pub u32);

/// A Topic Name that devices publish to or hear from, interned.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct TopicKey(pub u32);
