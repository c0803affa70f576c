//! Does a case end right also when the program starts again with another catalog?

mod retired;
