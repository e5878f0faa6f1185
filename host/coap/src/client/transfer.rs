//! Bodies larger than a datagram, as a client sends and receives them (RFC 7959): the next block, and the check of each
//! response. No time and no datagrams.

use super::error::ExchangeError;
use super::settings::{BlockSize, Settings};
use crate::block::Block;
use crate::code::{CONTINUE, REQUEST_ENTITY_TOO_LARGE, class};
use crate::message::Message;
use crate::option::{BLOCK1, BLOCK2, ETAG, OBSERVE, SIZE1, SIZE2};

/// The next step after a response.
#[derive(Debug)]
pub(super) enum Step {
    /// Send the request with, or for, the next block.
    Send(Message),
    /// The whole response, without block options.
    Done(Message),
}

/// The state of one request's bodies.
#[derive(Debug)]
pub(super) struct Transfer {
    /// The whole request; its options go into every block (RFC 7959 §2.9, §3.3).
    request: Message,
    /// Size of the next blocks. Only reduced, so the number of restarts is bounded.
    size: BlockSize,
    ask_block_size: bool,
    max_response_body: usize,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// The block of the request at `offset` was sent.
    Uploading { offset: usize },
    /// The server has the whole request, and the client has this part of the response.
    Downloading { response_so_far: Message },
}

impl Transfer {
    /// The transfer and its first message.
    pub(super) fn new(request: Message, settings: &Settings) -> (Self, Message) {
        let transfer = Self {
            request,
            size: settings.block_size,
            ask_block_size: settings.ask_block_size,
            max_response_body: settings.max_response_body,
            phase: Phase::Uploading { offset: 0 },
        };
        let first = transfer.upload(0);
        (transfer, first)
    }

    /// Takes the response to the message that was sent last.
    pub(super) fn take(&mut self, response: Message) -> Result<Step, ExchangeError> {
        let block1 = block_option(&response, BLOCK1)?;
        let block2 = block_option(&response, BLOCK2)?;
        match &mut self.phase {
            Phase::Uploading { offset } => {
                let offset = *offset;
                if response.code == REQUEST_ENTITY_TOO_LARGE && offset == 0 {
                    return Ok(self.smaller(block1, response));
                }
                self.uploaded(offset, block1, block2, response)
            }
            Phase::Downloading { response_so_far } => {
                let response_so_far = std::mem::take(response_so_far);
                self.downloaded(Some(response_so_far), block2, response)
            }
        }
    }

    /// RFC 7959 §2.9.3: a 4.13 whose Block1 names a smaller size asks for the body in such blocks.
    fn smaller(&mut self, hint: Option<Block>, response: Message) -> Step {
        let in_flight = self.size.bytes().min(self.request.payload.len());
        match hint {
            Some(hint) if hint.size() < in_flight => {
                self.size = BlockSize::of(hint);
                Step::Send(self.upload(0))
            }
            _ => Step::Done(without_blocks(response)),
        }
    }

    fn uploaded(
        &mut self,
        offset: usize,
        block1: Option<Block>,
        block2: Option<Block>,
        response: Message,
    ) -> Result<Step, ExchangeError> {
        let end = offset + self.size.bytes();
        let more = self.request.payload.len() > end;
        let success = class(response.code) == 2;
        match block1 {
            Some(echo) if success && echo.number != self.number(offset) => Err(
                ExchangeError::Blocks("the acknowledged block is not the one that was sent"),
            ),
            // RFC 7959 §2.3: 2.31 takes the block; a final code without the more flag took it for itself.
            Some(echo) if success && more && (response.code == CONTINUE || !echo.more) => {
                self.size = self.size.min(BlockSize::of(echo));
                self.phase = Phase::Uploading { offset: end };
                Ok(Step::Send(self.upload(end)))
            }
            _ if response.code == CONTINUE => Err(ExchangeError::Blocks(
                "2.31 Continue, but there is no further block to send",
            )),
            _ if success && more => Err(ExchangeError::Blocks(
                "a success arrived before the whole request was sent",
            )),
            _ => self.downloaded(None, block2, response),
        }
    }

    /// Appends a block to the response so far; none if this is the first.
    fn downloaded(
        &mut self,
        so_far: Option<Message>,
        block2: Option<Block>,
        response: Message,
    ) -> Result<Step, ExchangeError> {
        let Some(block) = block2 else {
            // RFC 7959 §2.9: an error may end a transfer at any block.
            return match so_far.is_some() && class(response.code) == 2 {
                true => Err(ExchangeError::Blocks(
                    "a block of the response has no Block2 option",
                )),
                false => self.bounded(without_blocks(response)).map(Step::Done),
            };
        };
        let received = so_far
            .as_ref()
            .map_or(0, |response_so_far| response_so_far.payload.len());
        if block.offset() != received {
            return Err(ExchangeError::Blocks(
                "the response has another block than the requested one",
            ));
        }
        if block.more && response.payload.len() != block.size() {
            return Err(ExchangeError::Blocks(
                "a block of the response is not as long as its option says",
            ));
        }
        let response_so_far = match so_far {
            None => without_blocks(response),
            Some(response_so_far)
                if response.code != response_so_far.code
                    || response.option(ETAG) != response_so_far.option(ETAG) =>
            {
                return Err(ExchangeError::Blocks(
                    "the response changed during the transfer; send the request again",
                ));
            }
            Some(mut response_so_far) => {
                response_so_far.payload.extend_from_slice(&response.payload);
                response_so_far
            }
        };
        let response_so_far = self.bounded(response_so_far)?;
        if !block.more {
            return Ok(Step::Done(response_so_far));
        }
        let number = (response_so_far.payload.len() / block.size()) as u32;
        self.phase = Phase::Downloading { response_so_far };
        let mut request = Message {
            payload: Vec::new(),
            ..self.request.clone()
        };
        request.set_option(BLOCK2, BlockSize::of(block).block(number, false).encode());
        // Only the first request registers (RFC 7959 §3.4).
        request.remove_option(OBSERVE);
        Ok(Step::Send(request))
    }

    /// The request message with the block at `offset`; whole where it fits into one.
    fn upload(&self, offset: usize) -> Message {
        let body = &self.request.payload;
        let end = body.len().min(offset + self.size.bytes());
        let mut message = Message {
            payload: body.get(offset..end).unwrap_or_default().to_vec(),
            ..self.request.clone()
        };
        if body.len() > self.size.bytes() || offset > 0 {
            let block = self.size.block(self.number(offset), end < body.len());
            message.set_option(BLOCK1, block.encode());
            if offset == 0 {
                message.set_uint_option(SIZE1, u32::try_from(body.len()).unwrap_or(u32::MAX));
            }
        }
        if self.ask_block_size && end == body.len() {
            message.set_option(BLOCK2, self.size.block(0, false).encode());
        }
        message
    }

    fn number(&self, offset: usize) -> u32 {
        (offset / self.size.bytes()) as u32
    }

    fn bounded(&self, response_so_far: Message) -> Result<Message, ExchangeError> {
        let limit = self.max_response_body;
        let announced = response_so_far.uint_option(SIZE2).unwrap_or(0) as usize;
        match response_so_far.payload.len().max(announced) > limit {
            true => Err(ExchangeError::TooLarge { limit }),
            false => Ok(response_so_far),
        }
    }
}

fn block_option(response: &Message, number: u16) -> Result<Option<Block>, ExchangeError> {
    let refused =
        |_| ExchangeError::Blocks("a block option has the reserved size 7 or more than 3 bytes");
    response
        .option(number)
        .map(Block::decode)
        .transpose()
        .map_err(refused)
}

fn without_blocks(mut response: Message) -> Message {
    response.remove_option(BLOCK1);
    response.remove_option(BLOCK2);
    response
}
