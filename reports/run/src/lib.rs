//! The squall run file: schema, histograms, summary figures.
