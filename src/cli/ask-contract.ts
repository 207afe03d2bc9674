/** Asks the questions of `lathe contract new` in the terminal. */
import * as prompts from "@clack/prompts";
import { type Answer, answerProblem, type Answers, type Question, questions } from "../app/contract.ts";
import { LatheError } from "../kit/errors.ts";

/** Errors: CANCELLED. */
export async function askContract(): Promise<Answers> {
  prompts.intro("A new workload contract. Enter takes the proposed answer.");
  const answers: Record<string, Answer> = {};
  let topic = "";
  for (const question of questions) {
    if (question.asked !== undefined && !question.asked(answers)) continue;
    if (question.topic !== topic) prompts.log.step(question.topic);
    topic = question.topic;
    answers[question.id] = await ask(question, answers);
  }
  prompts.outro("That is all.");
  return answers;
}

async function ask(question: Question, answers: Answers): Promise<Answer> {
  const proposal = question.propose(answers);
  const message = `${question.text}\n  proposed: ${proposal.value} (${proposal.reason})`;
  if (question.kind === "choice") {
    const choices = question.choices ?? [];
    const options = choices.map(({ value, meaning }) => ({ value, label: value, hint: meaning }));
    return given(await prompts.select({ message, options, initialValue: String(proposal.value) }));
  }
  const read = (text: string): Answer => (question.kind === "integer" ? Number(text) : text);
  const answer = await prompts.text({
    message,
    placeholder: String(proposal.value),
    defaultValue: String(proposal.value),
    validate: (text) => (text === undefined || text === "" ? undefined : answerProblem(question, read(text))),
  });
  return read(given(answer));
}

function given<T>(answer: T): Exclude<T, symbol> {
  if (prompts.isCancel(answer)) throw new LatheError("CANCELLED", "stopped; nothing was written");
  return answer as Exclude<T, symbol>;
}
