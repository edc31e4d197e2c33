//! squall's reports: charts, HTML, CSV.
