//! `rule check`: whether a gateway would accept a component, step by step, and the grants that it needs.

use std::fmt::Display;
use std::io::{self, Write};

use super::args::CheckArgs;
use super::description_view::{allow, links};
use super::error::ToolError;
use super::rule_harness::{self, RuleHarness, grouped};
use contract::{Digest, KnownOption};
use runtime::self_test;
use runtime::{CONTRACT_VERSION, Case, Footprint, Manifest, Package, Revision, Trust};

/// Prints a line per check. Checks that depend on a failed one are left out.
pub(super) fn check(args: &CheckArgs, out: &mut impl Write) -> Result<(), ToolError> {
    let file = &args.component.component;
    let name = rule_harness::name(file)?;
    let settings = rule_harness::settings(&args.component.config)?;
    let component = rule_harness::read_component(file)?;
    let folder = rule_harness::vectors(args.vectors.as_deref())?;
    writeln!(
        out,
        "{}: {} bytes, sha256 {:#}",
        file.display(),
        grouped(component.len()),
        Digest::of(&component)
    )?;
    let mut lines = Lines {
        out,
        all: 0,
        failed: 0,
    };
    let package = Package::read(file, &name, &Trust::default());
    let limits = args.component.size.limits();
    let headers = rule_harness::header_grants(&args.component.allow_header)?;
    let harness = RuleHarness::activate(&name, &component, &settings, limits, &headers)?;
    if let Some(harness) = lines.passed("component", harness)? {
        lines.ok(
            "component",
            &format!(
                "fits the contract {CONTRACT_VERSION} and imports nothing else; compiled, linked and described in \
                 {:.1} ms",
                harness.activated_in.as_secs_f64() * 1e3
            ),
        )?;
        memory(&mut lines, &harness.revision)?;
        observer(&mut lines, &harness.revision)?;
        options(&mut lines, &harness.revision)?;
        if harness.revision.deliveries_can_wait() {
            lines.ok(
                "outbox",
                &"exported: deliveries can wait for their homeserver",
            )?;
        }
        description(&mut lines, &harness.revision)?;
        let manifest = manifest(&mut lines, package, &harness.revision)?;
        let stated = manifest
            .map(|manifest| manifest.vectors)
            .unwrap_or_default();
        vectors(&mut lines, "manifest's vectors", &harness.revision, &stated)?;
        vectors(&mut lines, "folder's vectors", &harness.revision, &folder)?;
    }
    match (lines.failed, lines.all) {
        (0, _) => Ok(()),
        (failed, all) => Err(ToolError::Checks { failed, all }),
    }
}

fn memory(lines: &mut Lines<'_, impl Write>, revision: &Revision) -> io::Result<()> {
    let Some(Footprint { memories, memory }) = revision.footprint() else {
        return Ok(());
    };
    let limit = revision.limits().memory;
    lines.ok(
        "memory",
        &format!(
            "{memories} of at most {}; initially {} bytes of at most {}",
            revision.limits().memories,
            grouped(usize::try_from(memory).unwrap_or(usize::MAX)),
            grouped(limit)
        ),
    )
}

/// Whether observations can start. Observable links without an observer get a line: no other check reports them.
fn observer(lines: &mut Lines<'_, impl Write>, revision: &Revision) -> io::Result<()> {
    let links = (0..).zip(&revision.description().links);
    let observable = links.filter(|(_, link)| link.observable);
    let (feeds, others): (Vec<_>, Vec<_>) = observable.partition(|(link, _)| revision.feeds(*link));
    if !feeds.is_empty() {
        lines.ok("feed", &format!("exported, for {} links", feeds.len()))?;
    }
    match (others.len(), revision.observes()) {
        (0, false) => Ok(()),
        (0, true) => lines.more("it exports an observer, but no link is observable"),
        (count, true) => lines.ok("observer", &format!("exported, for {count} observable links")),
        (count, false) => lines.more(&format!(
            "{count} links are observable, but no observer is exported, so their devices get a response without Observe"
        )),
    }
}

/// The CoAP options that it understands.
fn options(lines: &mut Lines<'_, impl Write>, revision: &Revision) -> io::Result<()> {
    let shown = |option: &KnownOption| match option.sticky {
        true => format!("{}, remembered for a session", option.number),
        false => option.number.to_string(),
    };
    let known: Vec<_> = revision.known_options().iter().map(shown).collect();
    match known.is_empty() {
        true => Ok(()),
        false => lines.ok("options", &known.join("; ")),
    }
}

fn description(lines: &mut Lines<'_, impl Write>, revision: &Revision) -> io::Result<()> {
    let description = revision.description();
    match description.links.is_empty() {
        true => lines.fail(
            "links",
            &"it describes none, so no request would reach it; `describe` must return the resources",
        )?,
        false => lines.ok("links", &description.links.len())?,
    }
    for line in links(&description.links) {
        lines.more(&line)?;
    }
    let needs = revision.needs();
    lines.ok(
        "needs",
        &format!("{}, which [[rule]] must grant:", needs.len()),
    )?;
    allow(needs).iter().try_for_each(|line| lines.more(line))
}

/// The manifest, if there is one that matches the component.
fn manifest(
    lines: &mut Lines<'_, impl Write>,
    package: Result<Package, runtime::PackageError>,
    revision: &Revision,
) -> io::Result<Option<Manifest>> {
    let Some(package) = lines.passed("manifest", package)? else {
        return Ok(None);
    };
    let Some(manifest) = package.manifest else {
        lines.more("no manifest; create it with `comatrix-gateway rule manifest`")?;
        return Ok(None);
    };
    let checked = manifest.check_needs(revision.needs());
    if lines.passed("manifest", checked)?.is_some() {
        let Manifest {
            version, revision, ..
        } = &manifest;
        lines.ok(
            "manifest",
            &format!("version {version}, revision {revision}; it matches the component"),
        )?;
    }
    Ok(Some(manifest))
}

fn vectors(
    lines: &mut Lines<'_, impl Write>,
    name: &str,
    revision: &Revision,
    vectors: &[Case],
) -> io::Result<()> {
    if vectors.is_empty() {
        return Ok(());
    }
    if let Some(passed) = lines.passed(name, self_test(revision, vectors))? {
        lines.ok(name, &format!("{passed} passed"))?;
    }
    Ok(())
}

/// The table of checks.
struct Lines<'a, W> {
    out: &'a mut W,
    all: usize,
    failed: usize,
}

impl<W: Write> Lines<'_, W> {
    fn ok(&mut self, name: &str, detail: &dyn Display) -> io::Result<()> {
        self.all += 1;
        writeln!(self.out, "ok    {name}: {detail}")
    }

    fn fail(&mut self, name: &str, error: &dyn Display) -> io::Result<()> {
        self.all += 1;
        self.failed += 1;
        writeln!(self.out, "FAIL  {name}: {error}")
    }

    fn more(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.out, "      {line}")
    }

    /// The value, or a line with the error.
    fn passed<T, E: Display>(&mut self, name: &str, result: Result<T, E>) -> io::Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) => self.fail(name, &error).map(|()| None),
        }
    }
}
