//! The log line that answers why a client was disconnected: by whom, from where, for what cause.

use std::net::SocketAddr;

use squall_core::{Close, CloseCause};

/// Logs whose connection ended, and why: as a warning if the client did something wrong, because a
/// 3.1.1 client is not told.
pub(crate) fn write(close: &Close, peer: Option<SocketAddr>) {
    let slot = close.connection.slot;
    let cause = &close.cause;
    let Some(client_id) = close.client_id.as_deref() else {
        tracing::info!(slot, ?peer, %cause, "connection closed before CONNECT was accepted");
        return;
    };
    match cause {
        CloseCause::Protocol(_)
        | CloseCause::AnswerTooLarge
        | CloseCause::TopicTooDeep { .. }
        | CloseCause::DoesNotRead => {
            tracing::warn!(slot, ?peer, client_id, %cause, "connection closed");
        }
        CloseCause::Refused(_)
        | CloseCause::ConnectTimeout
        | CloseCause::KeepAliveTimeout
        | CloseCause::TakenOver
        | CloseCause::TransportEnded => {
            tracing::info!(slot, ?peer, client_id, %cause, "connection closed");
        }
        CloseCause::Disconnect(_) | CloseCause::Shutdown => {
            tracing::debug!(slot, ?peer, client_id, %cause, "connection closed");
        }
    }
}
