//! Weights through time as a line; the same as a table for those who do not see it. The scale is pure and tested.

use crate::components::{use_today, use_zone};
use crate::text;
use dioxus::prelude::*;
use shared_model::documents::WeightEntry;
use shared_model::values::Weight;

/// The drawing's own units; the stylesheet scales it to the space there is.
#[derive(Clone, Copy, PartialEq)]
struct Frame {
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

const WIDE: Frame = Frame {
    width: 640.0,
    height: 150.0,
    left: 46.0,
    right: 614.0,
    top: 24.0,
    bottom: 128.0,
};
/// As wide as a card on a phone, so that its words are as large as all others.
const NARROW: Frame = Frame {
    width: 330.0,
    right: 318.0,
    ..WIDE
};
const SMALL: Frame = Frame {
    width: 214.0,
    height: 64.0,
    left: 4.0,
    right: 210.0,
    top: 6.0,
    bottom: 64.0,
};

/// A measured point on the drawing.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    x: f64,
    y: f64,
}

/// A range with round numbers, a little wider than what is shown: lowest, highest, and the lines between.
fn scale(lowest: f64, highest: f64) -> (f64, f64, Vec<f64>) {
    let spread = (highest - lowest).max(highest * 0.05).max(0.01);
    let rough = spread / 3.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|step| *step >= rough);
    let step = step.unwrap_or(power);
    let low = ((lowest - spread * 0.25) / step).floor().max(0.0) * step;
    let high = highest + spread * 0.15;
    let mut lines = Vec::new();
    let mut line = if low > 0.0 { low } else { step };
    while line <= high && lines.len() < 6 {
        lines.push(line);
        line += step;
    }
    (low, high, lines)
}

fn place(at: f64, (from, to): (f64, f64), kg: f64, (low, high): (f64, f64), frame: Frame) -> Point {
    let x = if to > from { (at - from) / (to - from) } else { 1.0 };
    let y = if high > low {
        (kg - low) / (high - low)
    } else {
        0.5
    };
    Point {
        x: frame.left + x * (frame.right - frame.left),
        y: frame.bottom - y * (frame.bottom - frame.top),
    }
}

/// Four decimals would only make the page larger.
fn number(value: f64) -> String {
    format!("{value:.1}")
}

fn joined(points: &[Point]) -> String {
    let points: Vec<String> = points
        .iter()
        .map(|point| format!("{:.1},{:.1}", point.x, point.y))
        .collect();
    points.join(" ")
}

/// `small` is a sketch beside something else: the line alone. Otherwise the stylesheet shows the drawing that fits.
#[component]
pub(in crate::views) fn WeightChart(weights: Vec<WeightEntry>, #[props(default)] small: bool) -> Element {
    rsx! {
        if small {
            Drawing { weights, frame: SMALL, class: "chart", small }
        } else {
            Drawing { weights: weights.clone(), frame: WIDE, class: "chart chart--wide" }
            Drawing { weights, frame: NARROW, class: "chart chart--narrow" }
        }
    }
}

#[component]
fn Drawing(
    weights: Vec<WeightEntry>,
    frame: Frame,
    class: &'static str,
    #[props(default)] small: bool,
) -> Element {
    let zone = use_zone();
    let today = use_today();
    let mut pointed = use_signal(|| None::<usize>);
    let standing: Vec<&WeightEntry> = weights.iter().filter(|entry| entry.retracted.is_none()).collect();
    let (Some(first), Some(last)) = (standing.first(), standing.last()) else {
        return VNode::empty();
    };
    let kg: Vec<f64> = standing
        .iter()
        .map(|entry| entry.weight.value.approximate_kg())
        .collect();
    let lowest = kg.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = kg.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (low, high, lines) = scale(lowest, highest);
    #[allow(clippy::cast_precision_loss, reason = "for drawing only")]
    let time = |entry: &WeightEntry| entry.at.0 as f64;
    let span = (time(first), time(last));
    let points: Vec<Point> = standing
        .iter()
        .zip(&kg)
        .map(|(entry, kg)| place(time(entry), span, *kg, (low, high), frame))
        .collect();
    let label = text::chart_label(
        text::weight(first.weight.value),
        text::weight(last.weight.value),
        i64::try_from(standing.len()).unwrap_or(0),
    );
    let area = format!(
        "{:.1},{:.1} {} {:.1},{:.1}",
        points[0].x,
        frame.bottom,
        joined(&points),
        points[points.len() - 1].x,
        frame.bottom
    );
    let view_box = format!("0 0 {} {}", frame.width, frame.height);
    // Words there would not fit to the right of their point.
    let edge = frame.right - 54.0;
    let said = |entry: &WeightEntry| {
        let date = text::date_short(entry.at.date_in(&zone), today);
        text::weight_on(date, text::weight(entry.weight.value), pounds(entry.weight.value))
    };
    let shown = pointed()
        .filter(|index| *index < points.len() && !small)
        .unwrap_or(points.len() - 1);
    let years = years(&standing, span, frame, |entry| {
        i32::from(entry.at.date_in(&zone).year())
    });
    rsx! {
        svg { class, view_box, role: "img", "aria-label": label,
            if !small {
                for line in lines {
                    {
                        let y = place(0.0, (0.0, 1.0), line, (low, high), frame).y;
                        rsx! {
                            line { class: "chart__grid", x1: number(frame.left), x2: number(frame.right), y1: number(y), y2: number(y) }
                            text { class: "chart__label", x: "0", y: number(y + 4.0), {text::weight(round(line))} }
                        }
                    }
                }
            }
            if points.len() > 1 {
                polygon { class: "chart__area", points: area }
                polyline { class: "chart__line", points: joined(&points) }
            }
            for (index , point) in points.iter().copied().enumerate() {
                {
                    let is_last = index + 1 == points.len();
                    let big = is_last || (pointed() == Some(index) && !small);
                    rsx! {
                        if !small || is_last {
                            circle {
                                class: if big { "chart__dot" } else { "chart__dot chart__dot--ring" },
                                cx: number(point.x),
                                cy: number(point.y),
                                r: if big { "4" } else { "2.5" },
                            }
                        }
                        if !small {
                            // A larger target than the dot.
                            circle {
                                class: "chart__target",
                                cx: number(point.x),
                                cy: number(point.y),
                                r: "12",
                                fill: "transparent",
                                onpointerenter: move |_| pointed.set(Some(index)),
                                onpointerleave: move |_| pointed.set(None),
                            }
                        }
                    }
                }
            }
            if !small {
                text {
                    class: "chart__label chart__label--strong",
                    text_anchor: if points[shown].x > edge { "end" } else { "middle" },
                    x: number(points[shown].x + if points[shown].x > edge { 12.0 } else { 0.0 }),
                    y: number(points[shown].y - 10.0),
                    if pointed().is_some() {
                        {said(standing[shown])}
                    } else {
                        "{standing[shown].weight.value}"
                    }
                }
                for (x , year) in years {
                    text { class: "chart__label", x: number(x), y: "146", "{year}" }
                }
            }
        }
    }
}

/// "42.8 lb".
pub(super) fn pounds(weight: Weight) -> String {
    text::pounds(weight.in_lb().round_dp(1))
}

/// A round number without what floating point adds to it.
fn round(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Where the first entry of each year stands, apart enough to be read.
fn years(
    entries: &[&WeightEntry],
    span: (f64, f64),
    frame: Frame,
    year_of: impl Fn(&WeightEntry) -> i32,
) -> Vec<(f64, i32)> {
    let mut found: Vec<(f64, i32)> = Vec::new();
    for entry in entries {
        let year = year_of(entry);
        #[allow(clippy::cast_precision_loss, reason = "for drawing only")]
        let x = place(entry.at.0 as f64, span, 0.0, (0.0, 1.0), frame)
            .x
            .min(frame.right - 30.0);
        if found
            .last()
            .is_none_or(|(at, last)| *last != year && x - at > 48.0)
        {
            found.push((x, year));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_has_round_lines_around_what_is_shown() {
        let (low, high, lines) = scale(12.1, 20.3);
        assert!(low <= 12.1 && high >= 20.3);
        assert_eq!(lines, [10.0, 15.0, 20.0]);
        let (low, high, lines) = scale(0.032, 0.035);
        assert!(
            low <= 0.032 && high >= 0.035 && lines.len() > 1,
            "{low} {high} {lines:?}"
        );
        // One weight alone is a scale too.
        let (low, high, lines) = scale(4.0, 4.0);
        assert!(low < 4.0 && high > 4.0 && !lines.is_empty());
    }

    #[test]
    fn numbers_on_the_scale_are_short() {
        assert_eq!(round(20.0), "20");
        assert_eq!(round(0.1 + 0.2), "0.3");
        assert_eq!(round(1.5), "1.5");
    }
}
