//! How a command that the node runs itself is declared.

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use quoris_engine::command::ReadHandler;
use quoris_engine::spec::Spec;
use quoris_engine::{Args, Command, Result, Run};
use quoris_resp::Writer;

use crate::session::Session;
use crate::shared::Shared;

/// What a command of the node may see and do: everything.
pub struct NodeCx<'a> {
    /// The node.
    pub shared: &'a Rc<Shared>,
    /// The client that called.
    pub session: &'a Rc<Session>,
}

/// What becomes of a connection after a command of the node.
pub enum Outcome {
    /// The reply has been written.
    Done,
    /// Push messages have been written, which even a client gets that wants no replies.
    Pushed,
    /// The reply has been written, and the connection closes after it.
    Close,
    /// The connection runs nothing until this completes. It appends the reply to the session
    /// itself (with [`Shared::reply`]), unless it fails: then the error is the reply.
    Later(LocalBoxFuture<'static, Result>),
    /// This write of the engine, which clients cannot call, joins the turn's batch, and its reply
    /// is the command's. Only a leader may ask for it.
    Write(Vec<Vec<u8>>),
}

/// A handler of a node command.
pub type Handler = fn(&mut NodeCx<'_>, Args<'_>, &mut Writer<'_>) -> Result<Outcome>;

/// A command that runs in the node, outside the engine.
#[derive(Clone, Copy)]
pub struct NodeCommand {
    /// Its declaration.
    pub command: Command,
    pub(super) handlers: Handlers,
}

/// What runs a command.
#[derive(Clone, Copy)]
pub(super) enum Handlers {
    /// This.
    One(Handler),
    /// The engine runs it.
    Engine,
    /// The subcommands, and what runs if there is no word for one.
    Each(&'static [NodeCommand], Option<Handler>),
}

impl NodeCommand {
    /// A command without subcommands.
    pub const fn new(spec: Spec, run: Handler) -> Self {
        NodeCommand { command: Command { spec, run: Run::Node }, handlers: Handlers::One(run) }
    }

    /// A command that only has subcommands; see [`subcommands!`](crate::subcommands).
    pub const fn container(spec: Spec, subs: Subcommands) -> Self {
        NodeCommand {
            command: Command { spec, run: Run::Container(subs.commands) },
            handlers: Handlers::Each(subs.nodes, None),
        }
    }

    /// A subcommand that reads the data like a command of the engine, and is routed like one.
    pub const fn reading(spec: Spec, run: ReadHandler) -> Self {
        NodeCommand { command: Command { spec, run: Run::Read(run) }, handlers: Handlers::Engine }
    }

    /// What a container does without a word for a subcommand.
    #[must_use]
    pub const fn or_alone(mut self, run: Handler) -> Self {
        if let Handlers::Each(_, alone) = &mut self.handlers {
            *alone = Some(run);
        }
        self
    }
}

/// The subcommands of a container, made by [`subcommands!`](crate::subcommands).
#[derive(Clone, Copy)]
pub struct Subcommands {
    /// Their declarations, in the order of `nodes`.
    pub commands: &'static [Command],
    /// Their declarations and handlers.
    pub nodes: &'static [NodeCommand],
}

/// The declarations alone.
pub const fn declarations<const N: usize>(nodes: &[NodeCommand; N]) -> [Command; N] {
    let mut commands = [nodes[0].command; N];
    let mut at = 0;
    while at < N {
        commands[at] = nodes[at].command;
        at += 1;
    }
    commands
}

/// Declares the subcommands of a container: `subcommands!(CLIENT_SUBS: 2 = [ID, LIST]);`.
#[macro_export]
macro_rules! subcommands {
    ($name:ident: $count:literal = [$($sub:expr),+ $(,)?]) => {
        const $name: $crate::registry::Subcommands = {
            static NODES: [$crate::registry::NodeCommand; $count] = [$($sub),+];
            static COMMANDS: [::quoris_engine::Command; $count] =
                $crate::registry::declarations(&NODES);
            $crate::registry::Subcommands { commands: &COMMANDS, nodes: &NODES }
        };
    };
}
