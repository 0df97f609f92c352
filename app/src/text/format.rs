//! Dates, times, weights and ages as the clinic writes them.
