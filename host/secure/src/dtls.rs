//! d
mod certificate;
mod client_hello;
mod cookie;
mod front;
mod method;
mod reader;
mod record;
mod refusal;
#[cfg(test)]
mod tests;
