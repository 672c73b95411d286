//! The film: its key, its rules, and how the columns of the file are called.

use serde::{Deserialize, Serialize};
use state_runtime::prelude::*;

use crate::date::Date;

/// When the first film was shot.
const FIRST: Date = Date::new(1888, 10, 14);
/// The last day of the year in which the figures were collected.
const COLLECTED: Date = Date::new(2011, 12, 31);

/// A film and what it earned, in dollars.
///
/// The aliases are the names in the file; what is stored has the names of the fields.
#[derive(Debug, PartialEq, StateKey, Validate)]
#[state(key = "film:{title}", persistent, max_size = "4KiB")]
pub(crate) struct Film {
    #[garde(length(min = 1, max = 200))]
    pub(crate) title: String,
    #[serde(alias = "Release Date")]
    #[garde(custom(|date: &Date, (): &()| possible(*date)))]
    release_date: Date,
    #[serde(alias = "US Gross")]
    #[garde(range(max = 10_000_000_000))]
    us_gross: Option<u64>,
    #[serde(alias = "Worldwide Gross")]
    #[garde(range(max = 10_000_000_000), custom(at_least(self.us_gross)))]
    worldwide_gross: Option<u64>,
    #[serde(alias = "US DVD Sales")]
    #[garde(range(max = 10_000_000_000))]
    us_dvd_sales: Option<u64>,
    #[serde(alias = "Production Budget")]
    #[garde(range(min = 1, max = 1_000_000_000))]
    production_budget: Option<u64>,
    #[serde(alias = "MPAA Rating")]
    #[garde(skip)]
    mpaa_rating: Option<Mpaa>,
    #[serde(alias = "Running Time min")]
    #[garde(range(min = 1, max = 1_000))]
    running_time: Option<u16>,
    #[serde(alias = "Distributor")]
    #[garde(length(min = 1, max = 100))]
    distributor: Option<String>,
    #[serde(alias = "Source")]
    #[garde(length(min = 1, max = 100))]
    source: Option<String>,
    #[serde(alias = "Major Genre")]
    #[garde(length(min = 1, max = 100))]
    major_genre: Option<String>,
    #[serde(alias = "Creative Type")]
    #[garde(length(min = 1, max = 100))]
    creative_type: Option<String>,
    #[serde(alias = "Director")]
    #[garde(length(min = 1, max = 100))]
    director: Option<String>,
    #[serde(alias = "Rotten Tomatoes Rating")]
    #[garde(range(max = 100))]
    rotten_tomatoes_rating: Option<u8>,
    #[serde(alias = "IMDB Rating")]
    #[garde(range(min = 1.0, max = 10.0))]
    imdb_rating: Option<f64>,
    #[serde(alias = "IMDB Votes")]
    #[garde(skip)]
    imdb_votes: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Mpaa {
    G,
    #[serde(rename = "PG")]
    Pg,
    #[serde(rename = "PG-13")]
    Pg13,
    R,
    #[serde(rename = "NC-17")]
    Nc17,
    Open,
    #[serde(rename = "Not Rated")]
    NotRated,
}

/// The years once had two digits: what was released in `46` is dated 2046.
fn possible(date: Date) -> garde::Result {
    if !date.is_in_calendar() {
        return Err(garde::Error::new("no day of the calendar"));
    }
    if date < FIRST {
        return Err(garde::Error::new("before the first film was shot"));
    }
    if date > COLLECTED {
        return Err(garde::Error::new("after 2011, when these figures were collected"));
    }
    Ok(())
}

/// What a film earned in one country it earned in the world.
fn at_least(part: Option<u64>) -> impl FnOnce(&Option<u64>, &()) -> garde::Result {
    move |whole, ()| match (part, whole) {
        (Some(part), Some(whole)) if *whole < part => {
            Err(garde::Error::new("less than in the US alone"))
        }
        _ => Ok(()),
    }
}
