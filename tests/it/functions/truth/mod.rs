//! Do credits follow from the facts, in any order? And are they never more than what was paid for, nor less?

pub mod books;
mod bridged;
pub mod house;
pub mod law;
pub mod life;
mod money;
mod paid;
pub mod paper;
mod retold;
mod returned;
mod revenue;
pub mod story;
mod unbacked;
