//! The squall broker's sockets, shards, config and shutdown.
