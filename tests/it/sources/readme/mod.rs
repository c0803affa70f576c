//! Do the pages say what is so? What is listed is compared with the program.

mod lists;
mod rules;
