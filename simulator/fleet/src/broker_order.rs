//! What a fleet asks to be done to the broker itself, and what it hears of that.

/// One thing to be done to all processes of the broker, which the drive's owner has started.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BrokerOrder {
    /// SIGKILL; answer with [`BrokerEvent::Halted`] once all have ended.
    Kill,
    /// SIGTERM; answer with [`BrokerEvent::Halted`] once all have ended.
    Stop,
    /// SIGSTOP; answer with [`BrokerEvent::Halted`] once all are stopped.
    Pause,
    /// SIGCONT after [`Self::Pause`]; answer with [`BrokerEvent::Back`] once it is sent.
    Resume,
    /// Start again after [`Self::Kill`] or [`Self::Stop`], on the same port with the same files, once all that ran before has
    /// ended; answer with [`BrokerEvent::Back`] when it answers a CONNECT.
    Start,
}

/// What became of a [`BrokerOrder`]. The moment of it is the `now` that it is told with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BrokerEvent {
    /// All its processes have ended, or are stopped.
    Halted,
    /// It goes on, or answers a CONNECT again.
    Back,
    /// It did not come back, or could not be reached: nothing more is told of the order.
    Lost,
}
