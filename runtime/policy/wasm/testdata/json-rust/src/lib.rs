//! Reads JSON as policy modules in Rust do; ../json-go says what for.

use pacer_policy::json::{self, Kind, Value};
use pacer_policy::*;

policy! { name: "json", version: "1.0.0", admission: Reader }

struct Reader;

impl Admission for Reader {
    fn policies(&self) -> &[&str] {
        &["show", "review"]
    }

    fn review<'a>(&'a self, r: &AdmissionRequest<'a>) -> Result<AdmissionReview<'a>, Error> {
        let v = json::parse(r.new).map_err(|e| Error::invalid(e.to_string()))?;
        if r.policy == "review" {
            return review(v);
        }
        let settings = json::parse(r.settings)?;
        let names: Vec<_> = settings.get(&["path"]).elements().map(|name| name.text().unwrap_or_default()).collect();
        let path: Vec<&str> = names.iter().map(|name| &**name).collect();
        let amended = match settings.get(&["set"]).text() {
            Some(raw) => v.with(&path, &raw).map_err(|e| Error::invalid(e.to_string()))?,
            None => {
                let mut text = String::new();
                show(&mut text, v.get(&path), 0);
                text.into_bytes()
            }
        };
        Ok(AdmissionReview { amended: Some(amended.into()), ..AdmissionReview::default() })
    }
}

fn review<'a>(app: Value) -> Result<AdmissionReview<'a>, Error> {
    if app.get(&["labels", "team"]).text().unwrap_or_default().is_empty() {
        return Ok(AdmissionReview::deny("/labels/team", "an app needs a team"));
    }
    if app.get(&["env"]).members().any(|(name, _)| name == "PASSWORD") {
        return Ok(AdmissionReview::deny("/env/PASSWORD", "passwords are secrets"));
    }
    let path = ["container", "docker", "image"];
    let image = app.get(&path).text().unwrap_or_default();
    if image.is_empty() || image.starts_with("mirror.example/") {
        return Ok(AdmissionReview::default());
    }
    let amended = app.with(&path, &json::quote(&format!("mirror.example/{}", image)))?;
    Ok(AdmissionReview { amended: Some(amended.into()), ..AdmissionReview::default() })
}

fn show(to: &mut String, v: Value, depth: u32) {
    match v.kind() {
        Kind::Absent => to.push_str("absent"),
        _ if depth > 20 => to.push_str(v.raw()),
        Kind::Null => to.push_str("null"),
        Kind::Bool => to.push_str(&v.bool().unwrap_or_default().to_string()),
        Kind::Number => {
            to.push_str(&v.int().map_or("-".to_owned(), |n| n.to_string()));
            to.push_str(&v.float().map_or(" -".to_owned(), |n| format!(" {:016x}", n.to_bits())));
        }
        Kind::String => json::push_quoted(to, &v.text().unwrap_or_default()),
        Kind::Array => {
            to.push('[');
            for (i, e) in v.elements().enumerate() {
                if i > 0 {
                    to.push(',');
                }
                show(to, e, depth + 1);
            }
            to.push(']');
        }
        Kind::Object => {
            to.push('{');
            for (i, (name, m)) in v.members().enumerate() {
                if i > 0 {
                    to.push(',');
                }
                json::push_quoted(to, &name);
                to.push(':');
                show(to, m, depth + 1);
            }
            to.push('}');
        }
    }
}
