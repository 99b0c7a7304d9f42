//! A message on its way to many clients, written once for each protocol.

use std::rc::Rc;

use quoris_resp::{Protocol, Writer};

use crate::session::{Ending, Session};
use crate::shared::Shared;

/// More than what surrounds a word of a message.
const FRAME: usize = 16;

/// The client whose command is running, and its reply: a message to it goes there, because its
/// output is in use.
pub(crate) struct Own<'a, 'w> {
    /// Its number.
    pub(crate) id: u64,
    /// Where its reply goes.
    pub(crate) reply: &'a mut Writer<'w>,
}

/// A push message of some words.
pub(crate) struct Message<'a> {
    words: &'a [&'a [u8]],
    /// As each protocol writes it, once somebody needs it.
    forms: [Vec<u8>; 2],
}

impl<'a> Message<'a> {
    pub(crate) fn new(words: &'a [&'a [u8]]) -> Self {
        Message { words, forms: [Vec::new(), Vec::new()] }
    }

    fn form(&mut self, protocol: Protocol) -> &[u8] {
        let form = &mut self.forms[protocol as usize];
        if form.is_empty() {
            let bytes: usize = self.words.iter().map(|word| word.len() + FRAME).sum();
            form.reserve(bytes + FRAME);
            let mut writer = Writer::new(form, protocol);
            writer.push(self.words.len());
            self.words.iter().for_each(|word| writer.bulk(word));
        }
        form
    }

    /// Appends the message to a client's output. False if the client is on its way out.
    pub(crate) fn send(
        &mut self,
        shared: &Shared,
        session: &Rc<Session>,
        own: &mut Option<Own<'_, '_>>,
    ) -> bool {
        if session.ending() != Ending::Open {
            return false;
        }
        let form = self.form(session.protocol.get());
        match own {
            Some(own) if own.id == session.id => own.reply.raw(form),
            _ => {
                if !session.append_raw(form) {
                    let mut output = shared.take_buffer();
                    output.extend_from_slice(form);
                    session.put_output(output);
                }
                shared.flusher.mark(session);
            }
        }
        true
    }
}
