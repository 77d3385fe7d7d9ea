//! The image: the last stage of the `Dockerfile`, from scratch, around a static program built here.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::engine::{Engine, attempt, run};

/// An image, and the program that is inside.
pub(crate) struct Image {
    pub(crate) name: String,
    pub(crate) program: PathBuf,
}

/// How `docker run` ends if it was not the program that failed.
const ENGINE_FAILED: i32 = 125;

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Builds the program and the image; or says why the engine, although it answers, can run no container.
pub(crate) fn build(engine: &Engine) -> Result<Image, String> {
    let program = static_program();
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    fs::create_dir_all(out.join("data")).expect("the data folder");
    fs::copy(&program, out.join("kith")).expect("the program");
    // Certificates are not needed in here, but copied by the stage.
    let certificates = fs::read("/etc/ssl/certs/ca-certificates.crt").unwrap_or_default();
    fs::write(out.join("ca-certificates.crt"), certificates).expect("the certificates");
    let recipe = fs::read_to_string(root().join("Dockerfile")).expect("the Dockerfile");
    fs::write(folder.path().join("Dockerfile"), last_stage(&recipe)).expect("its last stage");
    let name = format!("kith-test-{}", std::process::id());
    run(engine.docker(&["build", "--tag", &name]).arg(folder.path()));
    let image = Image { name, program };
    let output = attempt(&mut engine.docker(&["run", "--rm", &image.name, "--version"]));
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(ENGINE_FAILED) {
        return Err(errors);
    }
    assert!(output.status.success(), "the program does not run in its image: {}\n{errors}", output.status);
    Ok(image)
}

/// The stage that needs no other image, with its files taken from the context.
fn last_stage(recipe: &str) -> String {
    let start = recipe.rfind("FROM scratch\n").expect("a last stage from scratch");
    recipe[start..].replace("--from=build ", "")
}

/// The program with all of libc inside. Unoptimised, which is built in half the time, and in a folder
/// of its own, because its flags would have everything else built anew.
fn static_program() -> PathBuf {
    let target = host();
    // Beside what this test itself was built into.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("compose");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root()).args(["build", "--quiet", "--locked", "--bin", "kith", "--target", &target]);
    cargo.arg("--target-dir").arg(&folder);
    cargo.env("RUSTFLAGS", "-C target-feature=+crt-static").env_remove("CARGO_ENCODED_RUSTFLAGS");
    // Nobody debugs it, and it becomes a third of the size.
    cargo.env("CARGO_PROFILE_DEV_DEBUG", "0");
    run(&mut cargo);
    folder.join(target).join("debug/kith")
}

/// The triple of this machine.
fn host() -> String {
    let version = run(Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("-vV"));
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc says for what it builds").to_owned()
}
