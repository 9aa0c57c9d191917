"""Reinforcement learning: several networks, counters and scores in one checkpoint."""

import tensorflow as tf
from repository import KERAS_2, KERAS_3, fit_once, floats, golden, repository, trained

layers = tf.keras.layers


class QNetwork(tf.keras.Model):
    def __init__(self, actions=3, hidden=(8, 6)):
        super().__init__()
        self.hidden_layers = [layers.Dense(units, activation="relu") for units in hidden]
        self.value = layers.Dense(1)
        self.advantage = layers.Dense(actions)

    def call(self, state):
        x = state
        for layer in self.hidden_layers:
            x = layer(x)
        advantage = self.advantage(x)
        return self.value(x) + advantage - tf.reduce_mean(advantage, axis=1, keepdims=True)


def q_network():
    return QNetwork()


class Agent:
    """Neither a module nor a layer: a plain object that holds everything."""

    def __init__(self):
        self.online, self.target = q_network(), q_network()
        self.optimizer = tf.keras.optimizers.Adam(1e-3)
        self.epsilon = tf.Variable(1.0)
        self.steps = tf.Variable(0, dtype=tf.int64)

    def policy(self, state):
        return tf.argmax(self.online(state), axis=1)


def agent():
    return Agent()


DUELING = """
[models.NAME]
entry-point = "agents:q_network"
checkpoints = ["{here}/checkpoints/ckpt-*"]
select = 200
restore.root = "online"
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.state = { dtype = "float32", shape = ["batch", 4] }
signatures.serving_default.outputs = ["q"]
"""


def save_agent(folder):
    everything, state = Agent(), floats(5, 4)
    for seed, network in enumerate((everything.online, everything.target)):
        network(state)
        trained(network, seed=seed)
    fit_once(everything.online, everything.optimizer, state)
    checkpoint = tf.train.Checkpoint(
        online=everything.online,
        target=everything.target,
        optimizer=everything.optimizer,
        epsilon=everything.epsilon,
        steps=everything.steps,
    )
    for step in (100, 200, 1000):
        checkpoint.write(str(folder / f"checkpoints/ckpt-{step}"))
    golden(folder, {"state": state}, {"q": everything.online(state)})


@repository(KERAS_2, DUELING.replace("NAME", "dueling"))
def dueling(folder):
    save_agent(folder)


@repository(KERAS_3, DUELING.replace("NAME", "dueling-3"))
def dueling_3(folder):
    save_agent(folder)


class ActorCritic(tf.Module):
    """As TF-Agents builds: a module with networks inside modules."""

    def __init__(self):
        super().__init__()
        self.encoder = tf.keras.Sequential([layers.Dense(8, activation="tanh"), layers.Dense(6)])
        self.heads = {"actor": layers.Dense(2), "critic": layers.Dense(1)}
        self.log_std = tf.Variable([-0.5, 0.25], name="log_std")
        self.observations = tf.Variable([0.25, -0.5, 1.0], trainable=False, name="running_mean")

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
    def act(self, observation):
        x = self.encoder(observation - self.observations)
        return {"mean": self.heads["actor"](x), "std": tf.exp(self.log_std)}

    @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32)])
    def value(self, observation):
        return self.heads["critic"](self.encoder(observation - self.observations))


def actor_critic():
    module = ActorCritic()
    module.act(tf.zeros((1, 3)))
    module.value(tf.zeros((1, 3)))
    return module


@repository(
    KERAS_2,
    """
[models.ppo]
entry-point = "agents:actor_critic"
checkpoints = ["{here}/ppo/policy-*"]
verify.golden = "{here}/golden.npz"
[models.ppo.signatures.serving_default]
method = "act"
inputs.observation = { dtype = "float32", shape = ["batch", 3] }
outputs = ["mean", "std"]
""",
)
def ppo(folder):
    module, observation = actor_critic(), floats(4, 3)
    trained(module)
    optimizer = tf.keras.optimizers.Adam(3e-4)
    optimizer.build(module.trainable_variables)
    checkpoint = tf.train.Checkpoint(
        agent=module, optimizer=optimizer, global_step=tf.Variable(7), best_return=tf.Variable(3.5)
    )
    checkpoint.save(str(folder / "ppo/policy"))
    golden(folder, {"observation": observation}, module.act(observation))


class SquashedGaussianActor(tf.keras.Model):
    def __init__(self, actions=2):
        super().__init__()
        self.fc1, self.fc2 = layers.Dense(8, activation="relu"), layers.Dense(8, activation="relu")
        self.mu, self.log_sigma = layers.Dense(actions), layers.Dense(actions)

    def call(self, state, training=None):
        x = self.fc2(self.fc1(state))
        return tf.tanh(self.mu(x)), tf.clip_by_value(self.log_sigma(x), -5.0, 2.0)


def sac_actor():
    return SquashedGaussianActor()


@repository(
    KERAS_2,
    """
[models.sac]
entry-point = "agents:sac_actor"
checkpoints = ["{here}/models/actor"]
verify.golden = "{here}/golden.npz"
signatures.serving_default.inputs.state = { dtype = "float32", shape = ["batch", 5] }
signatures.serving_default.outputs = ["mean", "log_std"]
""",
)
def sac(folder):
    """Each network saved on its own with save_weights, without an extension."""
    for seed, name in enumerate(("actor", "old_actor")):
        network, state = sac_actor(), floats(3, 5)
        network(state)
        trained(network, seed=seed)
        network.save_weights(str(folder / f"models/{name}"))
        if name == "actor":
            golden(
                folder,
                {"state": state},
                dict(zip(["mean", "log_std"], network(state), strict=True)),
            )
