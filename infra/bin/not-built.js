// Stands for the function's zip while that is not built; runs when it would be uploaded.
const target = process.argv[2] === "x86_64" ? "" : " --arm64";
process.stderr.write(
  `the function is not built; in the project's folder run:
  cargo lambda build --release${target} --bin crawlguard-lambda --no-default-features --features aws --output-format zip
and deploy again
`,
);
process.exit(1);
