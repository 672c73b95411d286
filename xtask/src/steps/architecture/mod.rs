//! The architecture: imports between the floors of the runtime go down, files stay short.

mod files;
mod floors;
mod imports;

use super::{Context, Outcome};
use crate::{failure::Failure, terminal::Progress, workspace::RUNTIME};

pub(super) fn run(context: &Context<'_>, _: &mut Progress) -> Result<Outcome, Failure> {
    let root = context.workspace.root();
    let mut faults = files::faults(root, context.workspace.members())?;
    let source = root.join(RUNTIME).join("src");
    let mut count = 0_usize;
    for file in files::rust_files(&source)? {
        let relative = file.strip_prefix(&source).unwrap_or(&file);
        let text = files::read(&file)?;
        let shown = file.strip_prefix(root).unwrap_or(&file).display();
        let imports = imports::of(relative, &text)
            .map_err(Failure::while_doing(format!("cannot read {shown}")))?;
        count += imports.len();
        let module = imports::module_of(relative);
        faults.extend(imports.iter().filter_map(|import| {
            let fault = floors::fault(&module, &import.path)?;
            Some(format!("{shown}:{}: {fault}", import.line))
        }));
    }
    Ok(Outcome::of_faults(format!("{count} imports"), &faults))
}
