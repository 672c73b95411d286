//! How many of 100 and of 10,000 increments at once are lost, on every backend: by `update`, by `add`,
//! and by reading and writing back.

use benches::{
    Failure,
    loss::{Way, count},
    measure::Effort,
    places::Place,
    report::Report,
};
use tokio::runtime::Runtime;

/// How many instances of a service count at once.
const INSTANCES: usize = 2;

fn main() -> Result<(), Failure> {
    let effort = Effort::asked();
    let sizes: &[u64] = effort.choose(&[100], &[100], &[100, 10_000]);
    let mut report = Report::new("loss");
    let mut table = vec![format!("| increments | {} |", Place::ALL.map(Place::name).join(" | "))];
    table.push(format!("|---|{}", "---|".repeat(Place::ALL.len())));
    let runtime = Runtime::new()?;
    for &increments in sizes {
        for way in Way::ALL {
            let mut row = format!("| {increments} by {} |", way.name());
            for place in Place::ALL {
                let cell = runtime.block_on(measure(&mut report, place, way, increments))?;
                row = format!("{row} {cell} |");
            }
            table.push(row);
        }
    }
    println!("{}", table.join("\n"));
    report.write()?;
    Ok(())
}

/// How much is lost at one place, as the cell of a table.
async fn measure(
    report: &mut Report,
    place: Place,
    way: Way,
    increments: u64,
) -> Result<String, Failure> {
    let Some(opened) = place.open(INSTANCES).await? else {
        return Ok("left out".to_owned());
    };
    let counted = count(&opened.backends, way, increments).await?;
    if way != Way::GetThenSet && !counted.is_honest() {
        return Err(format!("{}, {way:?}: {counted:?}", place.name()).into());
    }
    let name = format!("loss_{}_{}_{increments}", place.name(), way.name());
    let name = name.replace(',', "").replace(' ', "_");
    #[expect(clippy::cast_precision_loss, reason = "a small count")]
    let lost = counted.lost() as f64;
    report.add(name, lost, "lost");
    println!("  {counted:?}");
    let unknown = match counted.unknown {
        0 => String::new(),
        unknown => format!(", {unknown} unknown"),
    };
    Ok(format!("{} lost{unknown}, {:.1} s", counted.lost(), counted.time.as_secs_f64()))
}
