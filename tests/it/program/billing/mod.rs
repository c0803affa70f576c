//! Does an account pay once also when the program is killed, or was not there at night?

mod killed;
mod nights;
