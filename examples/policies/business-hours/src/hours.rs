//! Hours of the week, such as Mon-Fri 09:00-17:00 +01:00.

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// When it is open. Times are in milliseconds.
#[derive(Clone)]
pub struct Hours {
    /// For people: why nothing happens.
    pub text: String,
    days: [bool; 7],
    from: i64,
    to: i64,
    offset: i64,
}

impl Hours {
    /// Reads days, times, and the distance from UTC, which may be left out.
    pub fn parse(text: &str) -> Result<Hours, String> {
        read(text).ok_or_else(|| format!("expected hours such as Mon-Fri 09:00-17:00 +01:00, not {:?}", text))
    }

    /// How long it is until it opens; 0 while it is open.
    pub fn opens_in(&self, now_millis: u64) -> u64 {
        let now = now_millis as i64 + self.offset;
        let today = now.div_euclid(DAY);
        let open = |day: i64| self.days[(day + 3).rem_euclid(7) as usize]; // 1970 began on a Thursday
        if open(today) && (self.from..self.to).contains(&now.rem_euclid(DAY)) {
            return 0;
        }
        let openings = (today..=today + 7).filter(|day| open(*day)).map(|day| day * DAY + self.from - now);
        openings.filter(|wait| *wait > 0).min().unwrap_or(DAY) as u64
    }
}

fn read(text: &str) -> Option<Hours> {
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.len() < 2 || words.len() > 3 {
        return None;
    }
    let mut days = [false; 7];
    for part in words[0].split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut day, last) = (number(first)?, number(last)?);
        days[last] = true;
        while day != last {
            days[day] = true;
            day = (day + 1) % 7; // Fri-Mon goes over the end of the week
        }
    }
    let (from, to) = words[1].split_once('-')?;
    let (from, to) = (time(from)?, time(to)?);
    let offset = match words.get(2) {
        None => 0,
        Some(zone) if zone.starts_with('+') => time(&zone[1..])?,
        Some(zone) if zone.starts_with('-') => -time(&zone[1..])?,
        Some(_) => return None,
    };
    if from >= to {
        return None;
    }
    Some(Hours { text: format!("upgrades go on in business hours only: {}", text), days, from, to, offset })
}

fn number(day: &str) -> Option<usize> {
    DAYS.iter().position(|d| d.eq_ignore_ascii_case(day))
}

/// Reads 09:00, up to 24:00.
fn time(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    let time = (i64::from(hours) * 60 + i64::from(minutes)) * MINUTE;
    (minutes < 60 && time <= DAY).then_some(time)
}
