//! The picture of a session's life, as SVG: its ids and uses until now, and its deadlines.
//!
//! There are two axes of time, since a few minutes of use would be a dot beside a deadline of a day. Horizontal positions are
//! percentages and text keeps its size, so that the picture is as legible on a telephone as on a screen. It contains times
//! and handles only, and no text of a visitor.

use std::fmt::{self, Display, Write as _};

use session_core::Timestamp;

use super::life::{Life, moment, relative};
use super::trail::Kind;

/// Draws the life.
pub(crate) fn draw(life: &Life) -> String {
    let mut lanes = Lanes { top: 0, svg: String::new() };
    // Writing to a string does not fail.
    _ = past(&mut lanes, life).and_then(|()| deadlines(&mut lanes, life));
    let Lanes { top: height, svg } = lanes;
    format!(
        "<svg class=\"life\" role=\"img\" aria-label=\"The life of the session\" width=\"100%\" height=\"{height}\">{svg}</svg>"
    )
}

/// From the beginning until now: the ids, and the uses.
fn past(lanes: &mut Lanes, life: &Life) -> fmt::Result {
    let scale = Scale { start: life.created, end: life.now };
    ids(lanes, life, &scale)?;
    uses(lanes, life, &scale)?;
    lanes.axis(&moment(scale.start), "now")
}

/// From the beginning to the last deadline.
fn deadlines(lanes: &mut Lanes, life: &Life) -> fmt::Result {
    let Life { created, last_seen, idle_deadline, absolute_deadline, now, .. } = *life;
    let scale =
        Scale { start: created, end: absolute_deadline.unwrap_or(idle_deadline).max(idle_deadline).max(now) };
    lanes.top += GAP;
    let present = scale.x(now);
    let y = lanes.lane(format_args!("Expires unless it is used: {}", relative(idle_deadline, now)))?;
    lanes.bar(
        "left",
        &scale,
        last_seen,
        idle_deadline,
        y,
        format_args!("until {}", moment(idle_deadline)),
    )?;
    lanes.bar("spent", &scale, last_seen, now, y, format_args!("idle since {}", moment(last_seen)))?;
    lanes.now(present, y)?;
    if let Some(absolute) = absolute_deadline {
        let y = lanes.lane(format_args!("Expires in any case: {}", relative(absolute, now)))?;
        lanes.bar("left", &scale, created, absolute, y, format_args!("until {}", moment(absolute)))?;
        lanes.bar("spent", &scale, created, now, y, format_args!("since {}", moment(created)))?;
        lanes.now(present, y)?;
    }
    lanes.axis(short(&moment(scale.start)), short(&moment(scale.end)))
}

/// The lane of ids: a bar for each, the newest last.
fn ids(lanes: &mut Lanes, life: &Life, scale: &Scale) -> fmt::Result {
    let rotations = life.moments.iter().filter_map(|moment| match moment.kind {
        Kind::Rotated { from } => Some((moment.at, from)),
        Kind::Created | Kind::Written | Kind::Touched => None,
    });
    let rotations: Vec<_> = rotations.collect();
    let y = lanes.lane(format_args!("Ids that this process has seen: {}", rotations.len() + 1))?;
    let mut start = life.created;
    for (at, from) in rotations {
        lanes.bar("id", scale, start, at, y, format_args!("{from} until {}", moment(at)))?;
        start = at;
    }
    lanes.bar(
        "id current",
        scale,
        start,
        life.now,
        y,
        format_args!("the current id, since {}", moment(start)),
    )
}

/// The lane of uses: a mark for each moment, and the store's own record of the last one.
fn uses(lanes: &mut Lanes, life: &Life, scale: &Scale) -> fmt::Result {
    let y = lanes.lane(format_args!("Last seen {}", relative(life.last_seen, life.now)))?;
    for seen in &life.moments {
        let (class, words) = match seen.kind {
            Kind::Created => ("created", "created"),
            Kind::Written => ("written", "written"),
            Kind::Touched => ("touched", "used"),
            Kind::Rotated { .. } => ("rotated", "a new id"),
        };
        lanes.mark(class, scale.x(seen.at), y, format_args!("{words}, {}", moment(seen.at)))?;
    }
    let seen = scale.x(life.last_seen);
    lanes.mark("seen", seen, y, format_args!("last seen, {}", moment(life.last_seen)))
}

/// An axis of time.
struct Scale {
    start: Timestamp,
    end: Timestamp,
}

/// A horizontal position.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Percent(f64);

impl Scale {
    fn x(&self, at: Timestamp) -> Percent {
        let whole = self.start.until(self.end).as_secs_f64();
        let part = self.start.until(at).as_secs_f64();
        Percent(if whole > 0.0 { (part / whole * 100.0).clamp(0.0, 100.0) } else { 0.0 })
    }
}

impl Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}%", self.0)
    }
}

/// The lanes drawn so far.
struct Lanes {
    /// Where the next one begins.
    top: u32,
    svg: String,
}

impl Lanes {
    /// Begins a lane under its words, and returns the middle of its bar.
    fn lane(&mut self, words: fmt::Arguments<'_>) -> Result<u32, fmt::Error> {
        let (words_at, middle) = (self.top + 14, self.top + 28);
        self.top += LANE;
        write!(self.svg, "<text x=\"0%\" y=\"{words_at}\">{words}</text>")?;
        Ok(middle)
    }

    /// Marks the present on a bar.
    fn now(&mut self, x: Percent, middle: u32) -> fmt::Result {
        let (top, bottom) = (middle - 9, middle + 9);
        write!(
            self.svg,
            "<line class=\"now\" x1=\"{x}\" x2=\"{x}\" y1=\"{top}\" y2=\"{bottom}\"><title>now</title></line>"
        )
    }

    /// Draws the axis below the lanes, with words at both ends.
    fn axis(&mut self, start: &str, end: &str) -> fmt::Result {
        let (line, words) = (self.top, self.top + 16);
        self.top += FOOT;
        write!(
            self.svg,
            "<line class=\"axis\" x1=\"0%\" x2=\"100%\" y1=\"{line}\" y2=\"{line}\"/>\
             <text class=\"end\" x=\"0%\" y=\"{words}\">{start}</text>\
             <text class=\"end\" x=\"100%\" y=\"{words}\" text-anchor=\"end\">{end}</text>"
        )
    }

    fn bar(
        &mut self,
        class: &str,
        scale: &Scale,
        from: Timestamp,
        to: Timestamp,
        middle: u32,
        title: fmt::Arguments<'_>,
    ) -> fmt::Result {
        let (x, y) = (scale.x(from), middle - 5);
        let width = Percent((scale.x(to).0 - x.0).max(0.0));
        write!(
            self.svg,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"10\"><title>{title}</title></rect>"
        )
    }

    fn mark(&mut self, class: &str, x: Percent, middle: u32, title: fmt::Arguments<'_>) -> fmt::Result {
        write!(
            self.svg,
            "<circle class=\"{class}\" cx=\"{x}\" cy=\"{middle}\" r=\"5\"><title>{title}</title></circle>"
        )
    }
}

/// A moment without its seconds and its zone, for the ends of an axis.
fn short(moment: &str) -> &str {
    moment.get(..16).unwrap_or(moment)
}

const GAP: u32 = 10;
const LANE: u32 = 44;
const FOOT: u32 = 22;

#[cfg(test)]
mod tests {
    use session_core::store::StoreKey;

    use super::super::trail::Moment;
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    fn life() -> Life {
        Life {
            created: at(1_000),
            last_seen: at(1_300),
            idle_deadline: at(1_500),
            absolute_deadline: Some(at(2_000)),
            now: at(1_400),
            moments: Vec::new(),
        }
    }

    #[test]
    fn the_deadlines_are_on_an_axis_from_the_beginning_to_the_last_of_them() {
        let svg = draw(&life());
        assert!(svg.contains("<line class=\"now\" x1=\"40.00%\" x2=\"40.00%\""), "{svg}");
        let idle = "<rect class=\"left\" x=\"30.00%\" y=\"143\" width=\"20.00%\"";
        let absolute = "<rect class=\"left\" x=\"0.00%\" y=\"187\" width=\"100.00%\"";
        assert!(svg.contains(idle) && svg.contains(absolute), "{svg}");
        assert!(svg.contains("Expires unless it is used: in 1 min 40 s"), "{svg}");
    }

    #[test]
    fn each_id_has_a_bar_and_each_use_a_mark_on_an_axis_until_now() {
        let from = StoreKey::from_bytes([7; 32]).handle();
        let kinds = [(1_000, Kind::Created), (1_100, Kind::Rotated { from }), (1_200, Kind::Written)];
        let moments = kinds.map(|(seconds, kind)| Moment { at: at(seconds), kind }).to_vec();
        let svg = draw(&Life { moments, ..life() });
        assert!(svg.contains("has seen: 2") && svg.contains("Last seen 1 min 40 s ago"), "{svg}");
        let first = format!(
            "<rect class=\"id\" x=\"0.00%\" y=\"23\" width=\"25.00%\" height=\"10\"><title>{from} until"
        );
        let second = "<rect class=\"id current\" x=\"25.00%\" y=\"23\" width=\"75.00%\"";
        assert!(svg.contains(&first) && svg.contains(second), "{svg}");
        for (class, x) in [("created", "0.00"), ("rotated", "25.00"), ("written", "50.00"), ("seen", "75.00")]
        {
            assert!(svg.contains(&format!("<circle class=\"{class}\" cx=\"{x}%\"")), "{class}: {svg}");
        }
    }

    #[test]
    fn a_session_without_an_absolute_deadline_or_of_this_very_moment_is_drawn_too() {
        let svg = draw(&Life { absolute_deadline: None, ..life() });
        assert!(svg.contains("x1=\"80.00%\"") && !svg.contains("in any case"), "{svg}");
        let (born, moments) = (at(5), Vec::new());
        let life = Life {
            created: born,
            last_seen: born,
            idle_deadline: born,
            absolute_deadline: None,
            now: born,
            moments,
        };
        assert!(draw(&life).contains("x1=\"0.00%\""));
    }
}
